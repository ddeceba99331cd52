"""A long answer in a real JupyterLab: few messages, a page that stays awake, a kernel that hardly works."""

import re
from collections.abc import Iterator
from datetime import datetime

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.panels import open_notebook
from tests.fakes.chat_gateway import chat_gateway

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
TOKENS = 4_000
PER_SECOND = 300
"""About what the larger of Groq's two models gives."""
MESSAGES_A_SECOND = 30
KERNEL_SHARE = 0.10
BUSY_SHARE = 0.35
PARAGRAPH = """\
### Part {n}

A queue **decouples** the one who asks from the one who works: `enqueue` returns at once, and the worker takes
what it can. With $L = \\lambda W$ the length follows.

- one item
- another item, with *more* words in it

```python
def claim(queue):
    return queue.get(timeout=1)  # part {n}
```

| name | value |
| --- | ---: |
| rate | {n} |
| wait | 2 |

"""
WATCH = """
() => {
  const seen = window.seen = { gaps: [], tasks: [], began: performance.now() };
  new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ startTime, duration }) =>
    [startTime - seen.began, duration]))).observe({ type: "longtask" });
}
"""


def tokens() -> list[str]:
    """Markdown of every kind, as pieces of a few letters."""
    text = "".join(PARAGRAPH.format(n=n) for n in range(400))
    pieces = re.findall(r"\s?\S{1,5}|\s+", text)
    return pieces[:TOKENS]


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with chat_gateway(tokens(), PER_SECOND) as url:
        yield url


def test_a_long_answer_costs_little(page: Page, workshop: Lab, gateway: str) -> None:
    sent: list[float] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: note(frame, sent)))
    shows = f"from prodigon_lib.widgets import ChatPanel\nChatPanel({gateway!r})"
    opened = open_notebook(
        page, workshop, "long", ["import os; open('pid', 'w').write(str(os.getpid()))", shows]
    )
    kernel = psutil.Process(int((workshop.folder / "notebooks" / "pid").read_text()))
    box = opened.panel.get_by_role("textbox", name="Your message")
    box.fill("Tell me everything")
    page.evaluate(WATCH)
    sent.clear()
    before = kernel.cpu_times()
    box.press("Enter")
    expect(opened.panel.locator(".stats")).to_contain_text("tokens/s", timeout=90_000)
    after = kernel.cpu_times()
    seen = page.evaluate("() => ({ ...window.seen, lasted: performance.now() - window.seen.began })")
    lasted = seen["lasted"] / 1e3
    share = (after.user + after.system - before.user - before.system) / lasted
    halves = [
        sum(ms for at, ms in seen["tasks"] if (at < seen["lasted"] / 2) is first) for first in (True, False)
    ]
    busy = sum(halves) / seen["lasted"]
    most = max(sum(start <= other < start + 1 for other in sent) for start in sent)
    print(
        f"{lasted:.1f} s, kernel {share:.3f}, busy {busy:.3f} {halves}, {len(sent)} messages, {most} a second"
    )
    assert opened.panel.locator(".markdown h3").count() >= "".join(tokens()).count("### Part") - 1
    assert opened.panel.locator(".markdown .tail > *").count() == 0
    assert most <= MESSAGES_A_SECOND
    assert share <= KERNEL_SHARE
    assert busy <= BUSY_SHARE
    assert (
        halves[1] <= 2 * halves[0] + 0.1 * seen["lasted"]
    )  # the cost of a token does not grow with the text


def note(frame: bytes | str, sent: list[float]) -> None:
    """When the kernel sent a widget's message, by its own header."""
    head = frame if isinstance(frame, bytes) else frame.encode()
    if b'"comm_msg"' in head and b'"batch"' in head:
        date = re.search(rb'"date": ?"([^"]+)"', head)
        assert date is not None
        sent.append(datetime.fromisoformat(date[1].decode().replace("Z", "+00:00")).timestamp())
