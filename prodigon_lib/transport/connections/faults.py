"""What can go wrong with a connection. A silence is a `TimeoutError`."""


class ConnectionBroke(ConnectionError):
    """It ended before the answer did, or what came is no HTTP."""


class NobodyListens(ConnectionError):
    """There is no connection; nothing was sent, and another address may be tried."""


class NoConnectionInTime(NobodyListens, TimeoutError):
    """Nobody said no, nobody took it."""
