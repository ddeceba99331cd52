// What anywidget loads: shows the panel that its model names. A new panel is one line in PANELS.

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

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const shell = new Shell(el, new Bridge(model), String(model.get("panel_id")));
  PANELS[String(model.get("kind"))]?.(shell);
  return () => shell.close();
}

export default { render };
