"""What can go wrong with a connection. A silence is a `TimeoutError`."""


class ConnectionBroke(ConnectionError):
    """It ended before the answer did, or what came is no HTTP."""


class StaleConnection(ConnectionBroke):
    """It had been idle, and ended before anything of the answer came: perhaps just as we took it.

    Nobody can tell whether the call was heard. But it says nothing of the service, and as each needs an
    answer that came before, there are never more of these than of answers.
    """


class NobodyListens(ConnectionError):
    """There is no connection; nothing was sent, and another address may be tried."""


class NoConnectionInTime(NobodyListens, TimeoutError):
    """Nobody said no, nobody took it."""
