"""Prompts from what people paste and load, and results as files."""

import csv
import io
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from prodigon_lib.core.errors import BadRequest
from prodigon_lib.core.schemas.generate import MAX_PROMPT
from prodigon_lib.core.schemas.jobs import JobStatus, JobView, PromptError
from prodigon_lib.widgets.jobs.desk import rows_of
from prodigon_lib.widgets.jobs.prompts import MOST, in_jobs, read_prompts
from prodigon_lib.widgets.jobs.spreadsheet import as_it_was, as_table


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "one\n\n  two  \n"),
        ("list.txt", "\ufeffone\r\ntwo\r\n"),
        ("table.csv", "id,Prompt\n1,one\n2,two\n"),
        ("table.CSV", "one,x\ntwo,y\n"),
        ("list.jsonl", '"one"\n\n{"prompt": "two", "id": 2}\n'),
    ],
)
def test_prompts_come_from_each_kind_of_file(name: str, text: str) -> None:
    assert read_prompts(text, name) == ["one", "two"]


def test_a_table_and_a_document_keep_the_lines_of_a_prompt() -> None:
    assert read_prompts('prompt\n"one\nmore"\n', "a.csv") == ["one\nmore"]
    assert read_prompts('"one\\nmore"', "a.jsonl") == ["one\nmore"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("", " \n\n", "no prompt"),
        ("a.csv", 'prompt\n"open', "no table"),
        ("a.jsonl", '"one"\nnot json', "line 2 is not JSON"),
        ("a.jsonl", '{"question": "one"}', 'object with "prompt"'),
        ("a.txt", "x\n" * (MOST + 1), "too many"),
        ("a.txt", "one\n" + "x" * (MAX_PROMPT + 1), "prompt 2 has"),
    ],
)
def test_what_is_wrong_is_said(name: str, text: str, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        read_prompts(text, name)


def test_more_than_a_job_takes_become_several() -> None:
    prompts = [str(number) for number in range(250)]
    jobs = in_jobs(prompts)
    assert [len(job) for job in jobs] == [100, 100, 50]
    assert [prompt for job in jobs for prompt in job] == prompts


def test_a_file_of_results_has_them_in_order_with_their_errors() -> None:
    view = JobView(
        job_id=uuid4(),
        status=JobStatus.FAILED,
        created_at=datetime.now(UTC),
        total_prompts=3,
        completed_prompts=2,
        results=["first, with a comma", None, "=HYPERLINK(1)"],
        errors=[PromptError(index=1, code="UPSTREAM_ERROR", message="it failed")],
    )
    rows = rows_of(view, ["one", "two"])
    assert [row["error"] for row in rows] == [None, "UPSTREAM_ERROR: it failed", None]
    table = list(csv.reader(io.StringIO(as_table(rows), newline="")))
    assert table[1:] == [
        ["1", "one", "first, with a comma", ""],
        ["2", "two", "", "UPSTREAM_ERROR: it failed"],
        ["3", "", "'=HYPERLINK(1)", ""],
    ]


FORMULAS = (
    "=HYPERLINK(1)", "+1", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\uff1d1", " =1",
    "\ufeff=1", "\u200b\u200b@x", '=1","=2', "'=1", "'", "''x",
)  # fmt: skip


@pytest.mark.parametrize("text", [*FORMULAS, "plain", "a=1", "it's", "1,2;3", ""])
def test_no_cell_of_a_download_runs_and_each_can_be_read_back(text: str) -> None:
    rows = [{"number": 1, "prompt": text, "result": text, "error": None}]
    file = as_table(rows)
    (cells,) = list(csv.reader(io.StringIO(file, newline="")))[1:]
    assert cells[1].startswith("'") is (text in FORMULAS)
    assert [as_it_was(cell) for cell in cells] == ["1", text, text, ""]
    if text.strip():
        assert read_prompts(file, "job.csv") == [text.strip()]


def test_a_table_of_somebody_elses_keeps_its_apostrophes() -> None:
    assert read_prompts("prompt\n'quoted'\n", "a.csv") == ["'quoted'"]
