"""A new connection: a name's addresses tried, and TLS where it is asked for."""

import asyncio
import socket
import ssl
from functools import cache

from aiohappyeyeballs import start_connection

from prodigon_lib.transport.connections.connection import Connection
from prodigon_lib.transport.connections.names import Name
from prodigon_lib.transport.connections.origin import Origin

NEXT_ADDRESS = 0.25
"""Seconds until a name's next address is tried beside the one before (RFC 8305)."""


async def dial(origin: Origin, name: Name, connection: Connection) -> Connection:
    """Opens `connection`.

    Raises: OSError: no such name, nobody there, or a certificate that isn't theirs.
    """
    loop = asyncio.get_running_loop()
    found = await name.addresses()
    try:
        sock = await start_connection(found, happy_eyeballs_delay=NEXT_ADDRESS, interleave=1, loop=loop)
    except OSError:
        name.forget()
        raise
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.create_connection(
            lambda: connection,
            sock=sock,
            ssl=trusted() if origin.tls else None,
            server_hostname=origin.host.rstrip(".") if origin.tls else None,
        )
    except BaseException:
        # First the transport, if there is one: a loop that watches a socket which was closed under it takes
        # the next one with that number for it.
        connection.drop()
        sock.close()
        raise
    return connection


@cache
def trusted() -> ssl.SSLContext:
    """The machine's authorities, or those of `SSL_CERT_FILE`."""
    return ssl.create_default_context()
