"""Every port of a stack, taken before anything of it starts."""

import socket
from collections.abc import Iterator

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import ports
from prodigon_lib.stack.edges.plan import service_of
from prodigon_lib.stack.environment import GRPC_SETTING, MONOLITH, PORT_SETTINGS, SERVICES
from prodigon_lib.stack.nginx.binary import find_nginx
from prodigon_lib.stack.options import NO_BALANCER, StackOptions, Topology
from prodigon_lib.stack.record import record


class Listeners:
    """What listens, or is held for who will listen by itself.

    `nginx` has one for each service that nginx stands before, those of which there are several; `services`
    one for each process; `grpc` one more for each model service, where gRPC is on.

    Raises:
        StackError: a port that was asked for is taken, or several gateways lack an nginx.
    """

    def __init__(self, options: StackOptions, kept: ports.Ports) -> None:
        self._options, self._ports = options, kept
        self.nginx = {name: self._before(name) for name in self._balanced()}
        self.services = {name: self._listener(name) for name in self._names()}
        self.grpc = {
            name: self._of_grpc(name)
            for name in self.services
            if options.grpc and service_of(name) == "model"
        }

    def _names(self) -> Iterator[str]:
        """`worker`, `worker-2`, `worker-3`: a service's first replica has its name."""
        if self._options.topology is Topology.MONOLITH:
            yield MONOLITH
            return
        for service, count in self._options.replicas.items():
            yield service
            yield from (f"{service}-{number}" for number in range(2, count + 1))

    def _balanced(self) -> list[str]:
        several = [name for name in ("gateway", "model") if self._options.replicas.get(name, 1) > 1]
        if "model" in several and (self._options.grpc or self._options.balancer == NO_BALANCER):
            several.remove("model")
        try:
            if several:
                find_nginx()
        except StackError as error:
            if "gateway" in several:
                raise
            record("no balancer: callers try the model's replicas in turn", "warning", reason=error.message)
            return []
        return several

    def _before(self, service: str) -> socket.socket:
        """Clients look for the gateways where one gateway would be; only our own look for the model."""
        return ports.hold(self._port_of(service) if service == "gateway" else self._ports.free())

    def _listener(self, name: str) -> socket.socket:
        service = "gateway" if name == MONOLITH else name
        if service not in SERVICES or (service == "gateway" and service in self.nginx):
            return self._ports.free()
        return self._port_of(service)

    def _port_of(self, service: str) -> socket.socket:
        setting = PORT_SETTINGS[service]
        if asked := self._options.settings.get(setting):
            return self._ports.asked(int(asked), setting)
        return self._ports.free(ports.PREFERRED[service])

    def _of_grpc(self, name: str) -> socket.socket:
        asked = self._options.settings.get(GRPC_SETTING)
        if name in SERVICES and asked:
            return ports.hold(self._ports.asked(int(asked), GRPC_SETTING))
        return ports.hold(self._ports.free(ports.PREFERRED["model-grpc"] if name in SERVICES else 0))
