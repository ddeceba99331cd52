"""Attacks on what belongs to another: API1 and API3."""

from prodigon_lib.workshop.attacks.attack import Attack, NotReady, attack
from prodigon_lib.workshop.attacks.raider import Raider
from prodigon_lib.workshop.attacks.risks import Risk

SESSIONS, JOBS = "/api/v1/chat/sessions", "/api/v1/jobs"
SECRETS = ("password", "password_hash", "hash", "secret", "token_hash")


async def laid_out(raider: Raider, path: str, body: object, key: str) -> str:
    """The id of a thing that the victim has made.

    Raises:
        NotReady: they could not.
    """
    answer = await raider.ask("POST", path, body, who="victim")
    if not answer.ok:
        raise NotReady(f"the victim was answered {answer.status}")
    return str(answer.json()[key])


@attack(Risk.OBJECTS, "read another's session")
async def read_session(raider: Raider) -> bool:
    """The attacker gets the title of the victim's session by its id."""
    word = raider.word()
    session = await laid_out(raider, SESSIONS, {"title": word}, "id")
    return word in (await raider.ask("GET", f"{SESSIONS}/{session}")).text


@attack(Risk.OBJECTS, "find another's session")
async def search_sessions(raider: Raider) -> bool:
    """A search by the attacker finds the victim's session."""
    word = raider.word()
    session = await laid_out(raider, SESSIONS, {"title": word}, "id")
    return session in (await raider.ask("GET", f"{SESSIONS}?q={word}")).text


@attack(Risk.OBJECTS, "write into another's session")
async def write_into_session(raider: Raider) -> bool:
    """The attacker's message stands in the victim's session."""
    word = raider.word()
    session = await laid_out(raider, SESSIONS, {"title": "mine"}, "id")
    message = {"role": "assistant", "content": word}
    await raider.ask("POST", f"{SESSIONS}/{session}/messages", message)
    return word in (await raider.ask("GET", f"{SESSIONS}/{session}", who="victim")).text


@attack(Risk.OBJECTS, "delete another's session")
async def delete_session(raider: Raider) -> bool:
    """The victim's session is gone."""
    session = await laid_out(raider, SESSIONS, {"title": "mine"}, "id")
    await raider.ask("DELETE", f"{SESSIONS}/{session}")
    return (await raider.ask("GET", f"{SESSIONS}/{session}", who="victim")).status == 404


@attack(Risk.OBJECTS, "read another's job")
async def read_job(raider: Raider) -> bool:
    """The attacker gets the victim's job by its id."""
    job = await laid_out(raider, JOBS, {"prompts": ["What is mine?"], "max_tokens": 4}, "job_id")
    return (await raider.ask("GET", f"{JOBS}/{job}")).ok


@attack(Risk.OBJECTS, "cancel another's job")
async def cancel_job(raider: Raider) -> bool:
    """The attacker may cancel the victim's job."""
    job = await laid_out(raider, JOBS, {"prompts": ["What is mine?"] * 20, "max_tokens": 4}, "job_id")
    return (await raider.ask("POST", f"{JOBS}/{job}/cancel")).ok


@attack(Risk.PROPERTIES, "set what is not theirs to set")
async def set_properties(raider: Raider) -> bool:
    """A session is made under the id and for the owner that its maker chose."""
    chosen = "00000000-0000-4000-8000-00000000abcd"
    body = {"title": "mine", "id": chosen, "user_id": chosen, "owner": chosen, "message_count": 99}
    answer = await raider.ask("POST", SESSIONS, body)
    return chosen in answer.text or '"message_count":99' in answer.text


@attack(Risk.PROPERTIES, "see what is not theirs to see")
async def see_properties(raider: Raider) -> bool:
    """An answer about a session or an account has fields that are only for the inside."""
    session = await laid_out(raider, SESSIONS, {"title": "mine"}, "id")
    answers = [
        await raider.ask("GET", f"{SESSIONS}/{session}", who="victim"),
        await raider.ask("GET", "/api/v1/auth/me", who="victim"),
    ]
    return any(name in answer.json() for answer in answers if answer.ok for name in SECRETS)


ATTACKS: tuple[Attack, ...] = (
    read_session, search_sessions, write_into_session, delete_session, read_job, cancel_job,
    set_properties, see_properties,
)  # fmt: skip
