"""Attacks on who one is and what one may: API2, API5 and API9."""

import base64
import json
import secrets
import time

from prodigon_lib.workshop.attacks.attack import Attack, NotReady, attack
from prodigon_lib.workshop.attacks.objects import SESSIONS
from prodigon_lib.workshop.attacks.raider import Answer, Raider
from prodigon_lib.workshop.attacks.risks import Risk

QUESTION = {"prompt": "Who am I?", "max_tokens": 4}
LOGIN = "/api/v1/auth/login"
GUESSES = 12


@attack(Risk.AUTHENTICATION, "ask without a credential")
async def no_credential(raider: Raider) -> bool:
    """Somebody who says nothing of themselves gets a completion."""
    return (await raider.ask("POST", "/api/v1/generate", QUESTION, who="nobody")).ok


@attack(Risk.AUTHENTICATION, "a token that nobody has signed")
async def unsigned_token(raider: Raider) -> bool:
    """A token with `alg: none` is taken."""
    claims = {"sub": "00000000-0000-4000-8000-000000000001", "role": "operator", "exp": time.time() + 600}
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    token = ".".join(encoded(part) for part in parts) + "."
    return (await raider.ask("GET", SESSIONS, headers={"Authorization": f"Bearer {token}"})).ok


@attack(Risk.AUTHENTICATION, "a key that was made up")
async def made_up_key(raider: Raider) -> bool:
    """An API key of the right form, and nobody's, is taken."""
    key = f"pdg_{secrets.token_urlsafe(16)}_{secrets.token_urlsafe(32)}"
    return (await raider.ask("GET", SESSIONS, headers={"Authorization": f"Bearer {key}"})).ok


@attack(Risk.AUTHENTICATION, "guess passwords")
async def guess_passwords(raider: Raider) -> bool:
    """A dozen wrong passwords for one name are all just wrong: nobody slows the thirteenth."""
    name = f"{raider.word()}@example.com"
    answers = [
        await raider.ask("POST", LOGIN, login(name, f"wrong password {number}"), who="nobody")
        for number in range(GUESSES)
    ]
    return all(answer.status == 401 for answer in answers)


@attack(Risk.AUTHENTICATION, "ask which names exist")
async def which_names(raider: Raider) -> bool:
    """A login says whether anybody has this name."""
    names = [f"{raider.word()}@example.com" for _ in range(2)]
    made = await raider.ask("POST", "/api/v1/auth/register", login(names[0], raider.word()), who="nobody")
    answers = [
        await raider.ask("POST", LOGIN, login(name, "not the password"), who="nobody") for name in names
    ]
    return made.ok and len({said(answer) for answer in answers}) > 1


@attack(Risk.FUNCTIONS, "register as an operator")
async def register_as_operator(raider: Raider) -> bool:
    """A registration that asks for a role gets it."""
    body = login(f"{raider.word()}@example.com", raider.word()) | {"role": "operator", "is_admin": True}
    answer = await raider.ask("POST", "/api/v1/auth/register", body, who="nobody")
    return answer.ok and "operator" in answer.text


@attack(Risk.FUNCTIONS, "use an operator's functions")
async def operators_functions(raider: Raider) -> bool:
    """The attacker reads all accounts, or the audit log."""
    answers = [await raider.ask("GET", path) for path in ("/api/v1/accounts", "/api/v1/audit")]
    return any(answer.ok for answer in answers)


@attack(Risk.FUNCTIONS, "another method on a known path")
async def another_method(raider: Raider) -> bool:
    """A method that nobody meant to offer is answered."""
    answers = [await raider.ask(method, SESSIONS) for method in ("PUT", "DELETE", "TRACE", "PATCH")]
    return any(answer.ok for answer in answers)


@attack(Risk.INVENTORY, "the same by another path")
async def another_path(raider: Raider) -> bool:
    """What needs a credential answers without one under another spelling."""
    paths = ("/openai/v1/models", "/v1/models", "//v1/models", f"{SESSIONS}/", "/api/v1/chat;x/sessions",
             "/API/V1/CHAT/SESSIONS", "/api/v1/chat%2fsessions", "/api/v0/chat/sessions")  # fmt: skip
    answers = [await raider.ask("GET", path, who="nobody") for path in paths]
    return any(answer.ok for answer in answers)


@attack(Risk.INVENTORY, "past the gateway, to the model")
async def the_models_door(raider: Raider) -> bool:
    """The model service answers somebody who is no service of ours."""
    if "model" not in raider.doors:
        raise NotReady("the model's URL is not known")
    return (await raider.ask("POST", "/inference", QUESTION, who="nobody", door="model")).ok


@attack(Risk.INVENTORY, "past the gateway, to the worker")
async def the_workers_door(raider: Raider) -> bool:
    """The worker service takes a job from somebody who is no service of ours."""
    if "worker" not in raider.doors:
        raise NotReady("the worker's URL is not known")
    body = {"prompts": ["Whose am I?"], "max_tokens": 4}
    return (await raider.ask("POST", "/jobs", body, who="nobody", door="worker")).ok


def login(name: str, password: str) -> dict[str, object]:
    return {"name": name, "password": password}


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def said(answer: Answer) -> tuple[int, str]:
    """What an answer says, but for the request's own id."""
    error = answer.json().get("error", {})
    return answer.status, str(error.get("code", answer.text) if isinstance(error, dict) else error)


ATTACKS: tuple[Attack, ...] = (
    no_credential, unsigned_token, made_up_key, guess_passwords, which_names, register_as_operator,
    operators_functions, another_method, another_path, the_models_door, the_workers_door,
)  # fmt: skip
