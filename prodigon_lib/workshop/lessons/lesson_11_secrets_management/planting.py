"""Lines with a secret in them, and lines that only look so. All of it is drawn, and was never valid."""

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Mapping

LETTERS = string.ascii_letters + string.digits
URL_SAFE = LETTERS + "-_"
HEX = "0123456789abcdef"


class Draw:
    """Draws text from a seed."""

    def __init__(self, source: random.Random) -> None:
        self.source = source

    def text(self, length: int, alphabet: str = LETTERS) -> str:
        return "".join(self.source.choices(alphabet, k=length))

    def mixed(self, length: int) -> str:
        """With a digit and letters of both kinds in it, as generators of passwords see to."""
        start = [
            self.source.choice(each) for each in (string.ascii_uppercase, string.ascii_lowercase, "23456789")
        ]
        rest = [*start, *self.text(length - len(start))]
        self.source.shuffle(rest)
        return "".join(rest)

    def word(self) -> str:
        return self.source.choice("gateway worker model lesson stack report ledger session".split())

    def base64(self, length: int) -> str:
        return base64.b64encode(self.source.randbytes(length)).decode()

    def jwt(self) -> str:
        parts = [{"alg": "EdDSA", "kid": self.text(4)}, {"sub": self.text(12), "role": "operator"}]
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        return ".".join([*encoded, self.text(86, URL_SAFE)])


Kind = Callable[[Draw], tuple[str, str]]
"""A line, and what of it is secret."""


def named(prefix: str, length: int, line: str, alphabet: str = LETTERS) -> Kind:
    """`length` characters after a prefix, or a mixture where there is none; put where `line` has a %."""

    def plant(draw: Draw) -> tuple[str, str]:
        secret = prefix + draw.text(length, alphabet) if prefix else draw.mixed(length)
        return line.replace("%", secret), secret

    return plant


def token(draw: Draw) -> tuple[str, str]:
    secret = draw.jwt()
    return f'    "Set-Cookie: session={secret}\\n",', secret


def private_key(draw: Draw) -> tuple[str, str]:
    """All in one line, as environments take them."""
    word, secret = draw.source.choice(["", "RSA ", "EC "]), draw.base64(48)
    return (
        f'SIGNING_KEY="-----BEGIN {word}PRIVATE KEY-----\\n{secret}\\n-----END {word}PRIVATE KEY-----"',
        secret,
    )


def prodigon_key(draw: Draw) -> tuple[str, str]:
    secret = f"pdg_{draw.text(22)}_{draw.text(43)}"
    return f"DEBUG client started with {secret}", secret


SECRETS: Mapping[str, Kind] = {
    "AWS access key": named("AKIA", 16, "aws_access_key_id = %", string.ascii_uppercase + string.digits),
    "AWS secret key": named("", 40, "aws_secret_access_key = %"),
    "GitHub token": named("ghp_", 36, "git clone https://%@github.example/team/app.git"),
    "Groq key": named("gsk_", 52, 'client = Groq(api_key="%")'),
    "OpenAI key": named("sk-proj-", 48, "OPENAI=%"),
    "Slack token": named("xoxb-", 40, 'slack = {"bot": "%"}'),
    "Google key": named("AIza", 35, "https://maps.example/api/js?key=%", URL_SAFE),
    "Stripe key": named("sk_live_", 24, "payments: %"),
    "Prodigon key": prodigon_key,
    "private key": private_key,
    "JWT": token,
    "password in an address": named("", 18, "DATABASE_URL=postgres://app:%@db.internal:5432/app"),
    "password": named("", 16, 'password = "%"'),
    "token in YAML": named("", 32, "  deploy_token: %"),
    "bearer": named("", 40, "DEBUG sent headers {'Authorization': 'Bearer %'}"),
}


LOOK_ALIKES: Mapping[str, Callable[[Draw], str]] = {
    "commit": lambda draw: f'PINNED = "{draw.text(40, HEX)}"',
    "integrity": lambda draw: f'      "integrity": "sha512-{draw.base64(64)}",',
    "placeholder": lambda draw: (
        f'password = "{draw.source.choice(["changeme", "your-password-here", "********"])}"'
    ),
    "variable": lambda draw: f'{draw.word()}_token = os.environ["{draw.word().upper()}_TOKEN_2"]',
    "reference": lambda draw: f"  api_key: ${{{draw.word().upper()}_API_KEY_{draw.source.randint(1, 9)}}}",
    "uuid": lambda draw: f'request_id = "{uuid.UUID(int=draw.source.getrandbits(128), version=4)}"',
    "masked key": lambda draw: f"DEBUG asked with gsk_{'*' * 48}{draw.text(4)}",
    "short key": lambda draw: f"# a key begins with ghp_ or gsk_, as in ghp_{draw.word()}",
    "example of the manual": lambda draw: (
        f"aws_access_key_id = AKIA{draw.text(9, string.ascii_uppercase)}EXAMPLE"
    ),
    "address": lambda draw: f"DATABASE_URL=postgres://{draw.word()}@localhost:5432/{draw.word()}",
    "public key": lambda draw: f"{draw.word()}.pem: -----BEGIN PUBLIC KEY----- {draw.base64(44)}",
    "ssh public key": lambda draw: (
        f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{draw.text(44)} {draw.word()}@laptop"
    ),
    "image": lambda draw: f'        "image/png": "{draw.base64(90)}",',
    "digest": lambda draw: f"image: registry.internal/{draw.word()}@sha256:{draw.text(64, HEX)}",
    "name": lambda draw: f'secret_name = "{draw.word()}-{draw.word()}-database-password"',
}
