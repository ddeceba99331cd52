"""uvicorn's server, with whom new callers do not wait for the old ones."""

import asyncio
import os
import socket

import uvicorn

ACCEPTS = 16
"""New connections in one pass of the event loop."""


class FairServer(uvicorn.Server):
    """Takes several new connections in a pass of the event loop, whichever loop it is.

    uvloop takes one. While those that are connected keep it busy, its passes are
    long: a hundred who call anew would wait for a hundred of them, and a probe behind them too. So the
    listener is watched several times.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        if type(loop).__module__.partition(".")[0] != "uvloop":
            return
        for server in list(self.servers):
            for watched in server.sockets:
                for _ in range(ACCEPTS - 1):
                    again = socket.socket(fileno=os.dup(watched.fileno()))
                    self.servers.append(
                        await loop.create_server(
                            self._protocol, sock=again, ssl=self.config.ssl, backlog=self.config.backlog
                        )
                    )

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
