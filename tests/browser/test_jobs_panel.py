"""The jobs panel as a learner uses it, in a real JupyterLab; a whole job in `prodigon app` too."""

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.hosts import Host
from tests.browser.lab import Lab
from tests.browser.panels import STARTS, Notebook, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
SHOWS = "from prodigon_lib.widgets import JobsPanel\npanel = JobsPanel(stack)\npanel"


def open_jobs(page: Page, lab: Lab, name: str, *cells: str) -> Notebook:
    opened = open_notebook(page, lab, name, [STARTS.format(name=name), *cells, SHOWS])
    expect(opened.panel.get_by_text("No jobs yet.")).to_be_visible(timeout=30_000)
    return opened


def submit(panel: Locator, prompts: list[str]) -> None:
    box = panel.get_by_label("Prompts, one a line")
    box.fill("\n".join(prompts))
    box.press("Control+Enter")


def state(panel: Locator) -> Locator:
    return panel.get_by_role("region", name="Results").first.get_by_role("status")


def test_fifty_prompts_come_to_their_end_in_order_and_go_into_files(page: Page, host: Host) -> None:
    panel = host.show(page, "JobsPanel", "fifty").panel
    prompts = [f"Repeat the number {number}" for number in range(50)]
    submit(panel, prompts)
    expect(state(panel)).to_have_text("completed · 50 of 50", timeout=60_000)
    rows = panel.get_by_role("table", name="Results").locator("tbody tr")
    expect(rows).to_have_count(50)
    expect(panel.get_by_role("button", name="Copy result ")).to_have_count(50)
    asked = [row.split("\t")[1] for row in rows.all_inner_texts()]
    assert asked == prompts
    found = {}
    for form in ("JSON", "CSV"):
        with page.expect_download() as saved:
            panel.get_by_role("button", name=f"Download as {form}").click()
        assert saved.value.suggested_filename.endswith(form.lower())
        found[form] = Path(saved.value.path()).read_text(encoding="utf-8")
    assert [row["prompt"] for row in json.loads(found["JSON"])] == prompts
    table = list(csv.DictReader(found["CSV"].splitlines(keepends=True)))
    assert [row["prompt"] for row in table] == prompts
    assert all(row["result"] for row in table)


def test_a_file_is_loaded_and_a_job_is_cancelled(page: Page, workshop: Lab, tmp_path: Path) -> None:
    slow = "stack.simulated.set(faults={'stall_rate': 1, 'stall_seconds': 600})"
    panel = open_jobs(page, workshop, "cancelled", slow).panel
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"prompt": "one"}\n"two"\n')
    panel.get_by_label("A file of prompts").set_input_files(file)
    expect(panel.get_by_text("prompts.jsonl: 2 prompts.")).to_be_visible()
    panel.get_by_role("button", name="Submit").click()
    expect(state(panel)).to_contain_text("0 of 2", timeout=20_000)
    panel.get_by_role("button", name="Cancel").click()
    expect(state(panel)).to_contain_text("cancelled", timeout=20_000)
    panel.get_by_label("Only jobs that are").select_option("completed")
    expect(panel.get_by_text("No job is completed.")).to_be_visible()
    panel.get_by_label("Only jobs that are").select_option("cancelled")
    expect(panel.get_by_role("list", name="Jobs").get_by_role("listitem")).to_have_count(1)


def test_what_failed_is_tried_again(page: Page, workshop: Lab) -> None:
    refuses = "stack.simulated.set(faults={'error_rate': 1, 'error_status': 400})"
    opened = open_jobs(page, workshop, "retried", refuses)
    submit(opened.panel, ["one", "two"])
    expect(state(opened.panel)).to_have_text("failed · 0 of 2, 2 failed", timeout=60_000)
    code = opened.page.locator(".jp-Notebook .cm-content").nth(1)
    code.fill("stack.simulated.set(faults={})")
    code.press("Control+Enter")
    opened.panel.get_by_role("button", name="Retry what failed").click()
    expect(state(opened.panel)).to_have_text("completed · 2 of 2", timeout=60_000)
