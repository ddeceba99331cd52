"""Only what carries the word is a message."""

import json
import os

from prodigon_lib.workshop.checks.channel import LONGEST_LINE, Channel, Messages

WORD = "w0rd"


def line(body: object, word: str = WORD) -> bytes:
    return f"\n{word} {json.dumps({'kind': 'verdict', 'body': body})}\n".encode()


def test_a_message_may_come_in_any_pieces() -> None:
    messages, sent = Messages(WORD), line({"a": 1}) + line(2)
    found = [message for byte in sent for message in messages.feed(bytes([byte]))]
    assert found == [("verdict", {"a": 1}), ("verdict", 2)]


def test_what_lacks_the_word_is_passed_over() -> None:
    messages = Messages(WORD)
    assert messages.feed(line(1, "other") + b'{"kind": "verdict", "body": 1}\n' + b" " + line(3)[1:]) == []


def test_noise_before_a_message_does_not_spoil_it() -> None:
    assert Messages(WORD).feed(b"\xff\x00 half a line" + line(1)) == [("verdict", 1)]


def test_a_message_that_was_cut_is_none() -> None:
    assert Messages(WORD).feed(line(1).replace(b"kind", b"ki\nnd")) == []
    assert Messages(WORD).feed(b"w0rd []\nw0rd 1\nw0rd {}\n") == []


def test_a_flood_is_not_kept() -> None:
    messages = Messages(WORD)
    messages.feed(b"x" * (LONGEST_LINE + 1))
    assert len(messages._rest) == 0
    assert messages.feed(line(1)) == [("verdict", 1)]


def test_what_is_sent_is_heard() -> None:
    reading, writing = os.pipe()
    Channel(writing, WORD).send("limits", {"seconds": 5})
    os.close(writing)
    assert Messages(WORD).feed(os.read(reading, 1000)) == [("limits", {"seconds": 5})]
    os.close(reading)
