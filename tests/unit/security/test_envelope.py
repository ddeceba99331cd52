"""What is sealed, who can open it, and how a key version is retired."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodigon_lib.core.errors import SecretUnreadable
from prodigon_lib.security.envelope import Envelope, key_version
from prodigon_lib.security.envelope_keys import EnvelopeKeys, draw_envelope_key

OLD, NEW = draw_envelope_key("old"), draw_envelope_key("new")
PURPOSE = "token signing key"


def envelope(text: str) -> Envelope:
    return Envelope.of(EnvelopeKeys.parse(text))


@given(plain=st.binary(max_size=300), purpose=st.text(max_size=30))
def test_what_was_sealed_is_opened(plain: bytes, purpose: str) -> None:
    kept = envelope(NEW)
    sealed = kept.seal(plain, purpose=purpose)
    assert kept.open(sealed, purpose=purpose) == plain
    assert len(plain) < 8 or plain not in sealed


def test_one_record_sealed_twice_shares_nothing_but_its_head() -> None:
    kept = envelope(NEW)
    first, second = (kept.seal(b"the same", purpose=PURPOSE) for _ in range(2))
    head = len(b"\x01\x03new")
    assert first[:head] == second[:head]
    assert first[head : head + 60] != second[head : head + 60]
    assert first[-24:] != second[-24:]


@given(at=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_a_changed_bit_anywhere_is_found(at: int, bit: int) -> None:
    kept = envelope(f"{NEW},{OLD}")
    sealed = bytearray(kept.seal(b"secret", purpose=PURPOSE))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(SecretUnreadable):
        kept.open(bytes(sealed), purpose=PURPOSE)


def test_what_was_sealed_as_one_thing_is_not_opened_as_another() -> None:
    kept = envelope(NEW)
    sealed = kept.seal(b"secret", purpose="oidc client secret")
    for use in (kept.open, kept.rewrap):
        with pytest.raises(SecretUnreadable):
            use(sealed, purpose=PURPOSE)


def test_a_record_is_not_put_together_from_two() -> None:
    kept = envelope(NEW)
    first, second = (kept.seal(plain, purpose=PURPOSE) for plain in (b"first!", b"second"))
    with pytest.raises(SecretUnreadable):
        kept.open(first[:-34] + second[-34:], purpose=PURPOSE)


def test_a_version_is_not_renamed() -> None:
    """Two names for one key must not be the same thing: which version a record needs is part of it."""
    key = EnvelopeKeys.parse(NEW).keys["new"]
    kept = Envelope({"new": key, "odd": key}, "new")
    sealed = kept.seal(b"secret", purpose=PURPOSE)
    with pytest.raises(SecretUnreadable):
        kept.open(sealed.replace(b"new", b"odd", 1), purpose=PURPOSE)


@pytest.mark.parametrize("cut", [b"", b"\x01", b"\x02", b"\x01\x03new", b"\x01\x00" + b"0" * 200, b"x" * 200])
def test_what_is_no_envelope_is_refused(cut: bytes) -> None:
    for use in (lambda: envelope(NEW).open(cut, purpose=PURPOSE), lambda: key_version(cut)):
        with pytest.raises(SecretUnreadable):
            use()


def test_a_key_version_is_retired_without_a_record_that_no_key_opens() -> None:
    sealed = envelope(OLD).seal(b"secret", purpose=PURPOSE)
    both = envelope(f"{NEW},{OLD}")
    assert both.open(sealed, purpose=PURPOSE) == b"secret"
    moved = both.rewrap(sealed, purpose=PURPOSE)
    assert (key_version(sealed), key_version(moved)) == ("old", "new")
    assert envelope(NEW).open(moved, purpose=PURPOSE) == b"secret"
    assert moved[-34:] == sealed[-34:]  # only the data key was sealed again


def test_a_record_whose_key_is_gone_says_which_one_it_was() -> None:
    sealed = envelope(OLD).seal(b"secret", purpose=PURPOSE)
    with pytest.raises(SecretUnreadable, match=r"'old'.*ENVELOPE_KEYS"):
        envelope(NEW).open(sealed, purpose=PURPOSE)


def test_another_key_of_the_same_name_opens_nothing() -> None:
    sealed = envelope(NEW).seal(b"secret", purpose=PURPOSE)
    with pytest.raises(SecretUnreadable):
        envelope(draw_envelope_key("new")).open(sealed, purpose=PURPOSE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "new",
        "new:",
        "new:c2hvcnQ=",
        ":" + NEW[4:],
        f"{NEW},{NEW}",
        f"{NEW},",
        f"a b:{NEW[4:]}",
        "new:%%%",
    ],
)
def test_what_is_no_list_of_keys_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="NAME:KEY") as refused:
        EnvelopeKeys.parse(text)
    assert NEW[4:] not in str(refused.value)


def test_keys_are_in_no_repr() -> None:
    keys = EnvelopeKeys.parse(f"{NEW},{OLD}")
    assert keys.newest == "new"
    assert repr(keys) == "EnvelopeKeys(newest='new')"


@pytest.mark.parametrize(("keys", "newest"), [({}, "a"), ({"a": b"short"}, "a"), ({"ä": bytes(32)}, "ä")])
def test_an_envelope_needs_whole_keys(keys: dict[str, bytes], newest: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Envelope(keys, newest)
