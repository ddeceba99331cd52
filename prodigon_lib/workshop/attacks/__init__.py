"""Scripted attacks on a stack of one's own, and a scoreboard of what got through.

    board = await raid(stack.url, users=await two_users(stack.url), doors={"model": stack.urls["model"]})
    board.grid()

They go to loopback only, in small numbers. For each risk of the OWASP API Security Top 10 (2023) they say
whether a stack is open to what they try; of what they don't try they say nothing.
"""

from prodigon_lib.workshop.attacks.attack import Attack, Outcome
from prodigon_lib.workshop.attacks.campaign import ATTACKS, raid
from prodigon_lib.workshop.attacks.risks import Risk
from prodigon_lib.workshop.attacks.scoreboard import Scoreboard
from prodigon_lib.workshop.attacks.users import two_users

__all__ = ["ATTACKS", "Attack", "Outcome", "Risk", "Scoreboard", "raid", "two_users"]
