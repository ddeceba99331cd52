// What anywidget loads: shows the panel that its model names. A new panel is one line in PANELS.

import { app, type Holder } from "./app/panel";
import { chat } from "./chat/panel";
import { dashboard } from "./dashboard/panel";
import { jobs } from "./jobs/panel";
import { Bridge, type Model } from "./kernel/bridge";
import { Shell } from "./shell";
import { trace } from "./trace/panel";

const PANELS: Record<string, (shell: Shell) => void> = {
  chat,
  dashboard,
  jobs,
  trace,
};

function show(model: Model, el: HTMLElement): Shell {
  const shell = new Shell(el, new Bridge(model), String(model.get("panel_id")));
  const kind = String(model.get("kind"));
  if (kind === "app") app(shell, model as Holder, show);
  else PANELS[kind]?.(shell);
  return shell;
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const shell = show(model, el);
  return () => shell.close();
}

export default { render };
