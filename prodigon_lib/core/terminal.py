"""Text that anybody may have written, as a terminal may get it.

A terminal obeys what it is told to show: an escape sequence moves the cursor over what stands there, sets the
window's title, fills the clipboard (OSC 52) or, on some, answers as if it had been typed. U+0080 to U+009F
are the same commands in one character; a direction override shows words in another order than they have.
Source: ECMA-48 for the commands; UAX #9 for the directions.
"""

import json
import re

COMMANDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|\r(?!\n)")
"""All but the tab and the end of a line. A lone carriage return begins the line anew, over what it said."""


def plain(text: str) -> str:
    r"""`text` with each command spelled out, as `\x1b`: to be seen, and not to be obeyed."""
    return COMMANDS.sub(lambda found: ascii(found[0])[1:-1], text)


def plain_json(line: str) -> str:
    """A line of JSON that means the same, with all that does not print as an escape of JSON's own.

    JSON escapes the first 32 characters alone; more of them end a line, for whoever reads with `splitlines`.
    """
    if line.rstrip("\n").isprintable():
        return line
    return "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in line)
