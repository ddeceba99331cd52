"""A panel on a page of its own, before a kernel that says what the test says."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Route, expect

import prodigon_lib.widgets

STATIC = Path(prodigon_lib.widgets.__file__).parent / "static"
ORIGIN = "http://panel.test"
HEAD = "<!doctype html><html lang=en><meta charset=utf-8><title>panel</title>"
PAGE = f"{HEAD}<body style='margin:8px'><main></main>"
SHOW = """
async ([kind, answers]) => {
  const { default: panels } = await import("/panels.js");
  const listeners = new Set();
  const tell = (batch, buffers = []) => listeners.forEach((listener) => listener({ batch }, buffers));
  window.kernel = { answers, asks: [], cancelled: [], tell };
  const model = {
    get: (name) => ({ kind, panel_id: "one" })[name],
    on: (name, listener) => name === "msg:custom" && listeners.add(listener),
    off: (name, listener) => listeners.delete(listener),
    send: async (message) => {
      if (message.kind === "cancel") window.kernel.cancelled.push(message.id);
      if (message.kind !== "ask") return;
      window.kernel.asks.push(message);
      if (message.method === "asset") {
        const bytes = await (await fetch("/" + message.params.name)).arrayBuffer();
        return tell([{ kind: "answer", id: message.id, value: "", buffers: 1 }], [new DataView(bytes)]);
      }
      await null;
      const { id } = message;
      const value = window.kernel.answers[message.method] ?? null;
      if (value?.held) return;
      const items = value?.stream?.map((item) => ({ kind: "item", id, value: item }));
      tell(items ?? [{ kind: "answer", id, value }]);
    },
  };
  const el = document.createElement("div");
  document.querySelector("main").append(el);
  window.leave = panels.render({ model, el });
}
"""
HELD = {"held": True}
SYSTEM = {"name": "default", "url": "http://127.0.0.1:8000", "stack": True, "away": {}}


@dataclass
class PanelPage:
    """`strays` are the addresses that the page asked for beside the panel's own files."""

    page: Page
    strays: list[str] = field(default_factory=list)

    @property
    def panel(self) -> Locator:
        return self.page.locator(".panel")

    def tell(self, *messages: dict[str, Any]) -> None:
        """Messages of the kernel, in one batch."""
        self.page.evaluate("batch => window.kernel.tell(batch)", list(messages))

    def event(self, name: str, value: Any, **more: Any) -> None:
        self.tell({"kind": "event", "name": name, "value": value, **more})

    def answers(self, **answers: Any) -> None:
        """What the kernel answers from now on, by method; `{"stream": [...]}` is items without an end, and
        `HELD` no answer until the test gives one.
        """
        self.page.evaluate("answers => Object.assign(window.kernel.answers, answers)", answers)

    def answer(self, method: str, value: Any) -> dict[str, Any]:
        """The message that answers the panel's last ask of a method whose answer is held."""
        last = "method => window.kernel.asks.findLast((ask) => ask.method === method).id"
        return {"kind": "answer", "id": self.page.evaluate(last, method), "value": value}

    def asks(self, method: str) -> list[dict[str, Any]]:
        """The parameters of what the panel asked."""
        asks = self.page.evaluate(
            "method => window.kernel.asks.filter((ask) => ask.method === method)", method
        )
        return [ask["params"] for ask in asks]


def show_panel(page: Page, kind: str, answers: dict[str, Any]) -> PanelPage:
    shown = PanelPage(page)

    def serve(route: Route) -> None:
        url = urlsplit(route.request.url)
        file = STATIC / url.path.lstrip("/")
        if f"{url.scheme}://{url.netloc}" != ORIGIN:
            shown.strays.append(route.request.url)
            route.abort()
        elif url.path == "/":
            route.fulfill(body=PAGE, content_type="text/html")
        elif file.suffix == ".js" and file.is_file():
            route.fulfill(body=file.read_bytes(), content_type="text/javascript")
        else:
            shown.strays.append(route.request.url)
            route.fulfill(status=404)

    page.route("**/*", serve)
    page.goto(ORIGIN)
    page.evaluate(SHOW, [kind, {"system": SYSTEM, **json.loads(json.dumps(answers))}])
    expect(shown.panel).to_be_visible()
    return shown
