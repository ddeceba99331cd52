"""What the manifests ask of a pod before they send it work, while another service is away."""

import httpx
import yaml

from prodigon_lib.gateway.app import create_app as gateway
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.app import create_app as worker
from prodigon_lib.worker.settings import WorkerSettings
from tests.dockerfiles import ROOT
from tests.integration.gateway.fakes import FakeModel
from tests.integration.serving import serving

NOWHERE = "http://127.0.0.1:9"


def asked_before_work(service: str) -> str:
    text = (ROOT / "services" / "k8s" / f"{service}.yaml").read_text()
    (deployment,) = [each for each in yaml.safe_load_all(text) if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return str(container["readinessProbe"]["httpGet"]["path"])


async def test_a_gateway_without_a_worker_keeps_its_completions() -> None:
    settings = GatewaySettings(_env_file=None, worker_service_url=NOWHERE)
    async with (
        serving(gateway(settings, model=FakeModel())) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        assert set((await client.get("/health/ready")).json()["failing"]) == {"worker", "database"}
        assert (await client.get(asked_before_work("gateway"))).status_code == 200
        assert (await client.post("/api/v1/generate", json={"prompt": "x"})).status_code == 200


async def test_a_worker_without_a_model_takes_jobs_in(database: DatabaseUrl) -> None:
    settings = WorkerSettings(_env_file=None, database_url=database.dsn, model_service_url=NOWHERE)
    async with serving(worker(settings)) as url, httpx.AsyncClient(base_url=url) as client:
        assert set((await client.get("/health/ready")).json()["failing"]) == {"model"}
        assert (await client.get(asked_before_work("worker"))).status_code == 200
        assert (await client.post("/jobs", json={"prompts": ["x"]})).status_code == 202
