// Jobs: new ones, all of them, and the results of one.

import { h } from "../parts/dom";
import type { Shell } from "../shell";
import { Detail } from "./detail";
import style from "./jobs.css";
import { JobList } from "./list";
import { Submit } from "./submit";
import type { Job } from "./wire";

export function jobs(shell: Shell): void {
  shell.style(style);
  const list = new JobList(shell, open, (job) => detail.take(job));
  const detail: Detail = new Detail(shell, (job) => list.take(job));
  const submit = new Submit(shell, (made) => made[0] && open(made[0]));

  function open(job: Job): void {
    list.select(job.id);
    void detail.open(job);
  }

  shell.offer("New job", () => submit.focus());
  shell.show("jobs", "Jobs", submit.element, h("div", { class: "columns" }, list.element, detail.element));
}
