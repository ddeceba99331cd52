"""The kernel's half of the jobs panel."""

import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from prodigon_lib.client import calls
from prodigon_lib.client.jobs import job_in
from prodigon_lib.core.schemas.jobs import JobView
from prodigon_lib.widgets.bridge import Bridge, Handler
from prodigon_lib.widgets.desk import Desk
from prodigon_lib.widgets.jobs.prompts import in_jobs, read_prompts
from prodigon_lib.widgets.jobs.spreadsheet import as_table
from prodigon_lib.widgets.target import Target

REMEMBERED = 200


class JobsDesk(Desk):
    """Jobs are the gateway's. Prompts of those submitted here are kept, as no endpoint gives them back."""

    def __init__(self, target: Target, bridge: Bridge) -> None:
        super().__init__(target, bridge)
        self._prompts: OrderedDict[str, Sequence[str]] = OrderedDict()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "count": self.count,
            "submit": self.submit,
            "jobs": self.jobs,
            "job": self.job,
            "follow": self.follow,
            "cancel": self.cancel,
            "retry": self.retry,
            "download": self.download,
        }

    async def count(self, text: str, name: str = "") -> dict[str, Any]:
        """The prompts of a file, one a line where they can be, and how many."""
        prompts = read_prompts(text, name)
        return {"prompts": prompts, "jobs": len(in_jobs(prompts))}

    async def submit(self, text: str | None = None, prompts: list[str] | None = None) -> list[dict[str, Any]]:
        """What was typed, or the prompts of a file; gives the jobs that were made."""
        chosen = prompts if prompts is not None else read_prompts(text or "")
        made = []
        for each in in_jobs(chosen):
            job = await self.client.submit_job(each)
            self._remember(job.id, each)
            made.append(summary(job.view))
            self._tell()
        return made

    async def jobs(self, status: str | None = None, cursor: str | None = None) -> dict[str, Any]:
        """One page, newest first, without results."""
        page = await self.client.call(calls.jobs_page(status or None, cursor))
        return {"items": [summary(view) for view in page.items], "next": page.next_cursor}

    async def job(self, id: str) -> dict[str, Any]:
        """A job with a row for each prompt, in their order."""
        view = (await self.client.job(id)).view
        return {"job": summary(view), "rows": rows_of(view, self._prompts.get(id, ()))}

    async def follow(self, id: str) -> AsyncIterator[dict[str, Any]]:
        """The job now, then at each change, until it has finished."""
        async with aclosing(self.client.events(calls.job_events(id))) as events:  # type: ignore[type-var]
            async for event in events:
                if view := job_in(event):
                    yield summary(view)

    async def cancel(self, id: str) -> dict[str, Any]:
        view = await self.client.call(calls.cancel_job(id))
        self._tell()
        return summary(view)

    async def retry(self, id: str) -> dict[str, Any]:
        view = await self.client.call(calls.retry_job(id))
        self._tell()
        return summary(view)

    async def download(self, id: str, form: str) -> dict[str, str]:
        """A file's name and text. Args: form: `json` or `csv`."""
        view = (await self.client.job(id)).view
        rows = rows_of(view, self._prompts.get(id, ()))
        text = as_table(rows) if form == "csv" else json.dumps(rows, ensure_ascii=False, indent=1)
        return {"name": f"job-{id[:8]}.{'csv' if form == 'csv' else 'json'}", "text": text}

    def _remember(self, id: str, prompts: Sequence[str]) -> None:
        self._prompts[id] = prompts
        while len(self._prompts) > REMEMBERED:
            self._prompts.popitem(last=False)

    def _tell(self) -> None:
        self.publish("jobs", {}, latest=True)


def summary(view: JobView) -> dict[str, Any]:
    """A job without its results: a list of them is short, however long its jobs."""
    return {
        "id": str(view.job_id),
        "status": view.status.value,
        "created": view.created_at.isoformat(),
        "completed": view.completed_at and view.completed_at.isoformat(),
        "total": view.total_prompts,
        "done": view.completed_prompts,
        "failed": len(view.errors),
        "error": view.error,
    }


def rows_of(view: JobView, prompts: Sequence[str] = ()) -> list[dict[str, Any]]:
    errors = {error.index: f"{error.code}: {error.message}" for error in view.errors}
    return [
        {
            "number": place + 1,
            "prompt": prompts[place] if place < len(prompts) else None,
            "result": result,
            "error": errors.get(place),
        }
        for place, result in enumerate(view.results)
    ]
