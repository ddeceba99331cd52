"""However fast things happen, a page gets few messages, in order and whole."""

import asyncio

from prodigon_lib.widgets.outbox import Outbox
from tests.polling import eventually


class Sent(list):
    """Batches as they left."""

    def __call__(self, message: dict, buffers: list[bytes]) -> None:
        self.append((message["batch"], buffers))

    @property
    def messages(self) -> list[dict]:
        return [message for batch, _ in self for message in batch]


async def test_a_burst_leaves_as_two_batches() -> None:
    sent = Sent()
    outbox = Outbox(sent, per_second=5)
    outbox.post({"n": 0})
    await eventually(lambda: len(sent) == 1)
    for number in range(1, 1000):
        outbox.post({"n": number})
        if number % 100 == 0:
            await asyncio.sleep(0)
    assert len(sent) == 1
    await eventually(lambda: len(sent) == 2)
    assert [message["n"] for message in sent.messages] == list(range(1000))


async def test_texts_of_one_key_become_one_in_order() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    for word in ("a", "b", "c"):
        outbox.post_text("one", {"id": 1}, word)
        outbox.post_text("two", {"id": 2}, word.upper())
    outbox.post({"id": 3})
    outbox.flush()
    outbox.post_text("one", {"id": 1}, "d")
    outbox.flush()
    assert sent.messages == [
        {"id": 1, "text": "abc"},
        {"id": 2, "text": "ABC"},
        {"id": 3},
        {"id": 1, "text": "d"},
    ]


async def test_of_several_values_the_latest_leaves() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    for value in range(5):
        outbox.post_latest("gauge", {"value": value})
    outbox.flush()
    outbox.post_latest("gauge", {"value": 9})
    outbox.flush()
    assert sent.messages == [{"value": 4}, {"value": 9}]


async def test_bytes_travel_beside_their_message() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    outbox.post({"id": 1}, [b"one"])
    outbox.post({"id": 2})
    outbox.post({"id": 3}, [b"two", b"three"])
    outbox.flush()
    assert [message.get("buffers", 0) for message in sent.messages] == [1, 0, 2]
    assert sent[0][1] == [b"one", b"two", b"three"]


async def test_nothing_leaves_after_close() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    outbox.post({"id": 1})
    outbox.close()
    outbox.flush()
    assert not sent


async def test_text_after_a_message_stays_after_it() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    outbox.post_text("one", {"id": 1}, "a")
    outbox.post({"id": 2})
    outbox.post_text("one", {"id": 3}, "b")
    outbox.flush()
    assert sent.messages == [{"id": 1, "text": "a"}, {"id": 2}, {"id": 3, "text": "b"}]
