"""Limits in a config file."""

from prodigon_lib.workshop.checks import Attempt, Check, Findings

FILE = "limits.conf"
HINTS = (
    "Every line is a name, spaces, and a value that ends in a semicolon. The check reads the file as the"
    " server would; a line that begins with a hash sign is a comment and counts for nothing at all.",
    "The body limit is asked for in megabytes. The server understands the letter m after a number, without a"
    " space between the two. Compare with how the line above it gives its own unit.",
    "Write client_max_body_size, a space, then the number eight with the letter m directly behind it, and"
    " close the line with a semicolon. Nothing else in the file needs to change for this.",
)


class LimitsCheck(Check):
    seconds = 5

    def run(self, attempt: Attempt, findings: Findings) -> None:
        lines = [line.split("#")[0].strip() for line in attempt.text.splitlines()]
        found = dict(line.rstrip(";").split(None, 1) for line in lines if line.endswith(";") and " " in line)
        findings.equal(
            "the timeout", found.get("keepalive_timeout"), "30s", step="Leave the timeout as it was."
        )
        findings.equal(
            "the body limit", found.get("client_max_body_size"), "8m", step="Set client_max_body_size to 8m."
        )
