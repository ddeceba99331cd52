"""The keys that a stack seals its secrets under, drawn once and kept in its folder."""

from prodigon_lib.core.errors import StackError
from prodigon_lib.security.envelope_keys import EnvelopeKeys, draw_envelope_key
from prodigon_lib.stack.folder import StackFolder, write_whole

FIRST = "stack"


def kept_envelope_keys(folder: StackFolder) -> str:
    """As `ENVELOPE_KEYS` takes them. One that is lost, or damaged, takes with it what it sealed.

    So a damaged file stops the start, and is not drawn again in silence.

    Raises:
        StackError: the file holds no keys.
    """
    try:
        text = folder.envelope_keys.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        text = draw_envelope_key(FIRST)
        write_whole(folder.envelope_keys, f"{text}\n")
    try:
        EnvelopeKeys.parse(text)
    except ValueError:
        raise StackError(
            f"{folder.envelope_keys} is damaged: put it back, or remove it and with it all logins"
        ) from None
    return text
