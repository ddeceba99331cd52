"""`GET` and `PUT /simulated`: what is set on the simulated model, changed while it runs. Development only."""

from fastapi import APIRouter

from prodigon_lib.model.providers.simulated.controls import Controls
from prodigon_lib.model.providers.simulated.provider import SimulatedProvider


def simulated_routes(simulated: SimulatedProvider) -> APIRouter:
    router = APIRouter(tags=["simulated"])

    @router.get("/simulated")
    async def get_controls() -> Controls:
        """What is set now."""
        return simulated.controls

    @router.put("/simulated")
    async def put_controls(change: Controls) -> Controls:
        """Set what the body has: a part that it leaves out stays as it is. Answers with all that is set."""
        simulated.controls = simulated.controls.changed_by(change)
        return simulated.controls

    return router
