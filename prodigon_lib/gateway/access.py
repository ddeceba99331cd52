"""The gateway's door, once accounts are on: who calls, and whether they may."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from prometheus_client import Counter
from starlette.routing import BaseRoute
from starlette.types import Scope

from prodigon_lib.core.context import request_id_or
from prodigon_lib.core.errors import Forbidden, ProdigonError, Unauthenticated
from prodigon_lib.core.http.admission import Admission
from prodigon_lib.core.http.client_address import (
    FORWARDED,
    Address,
    Network,
    client_address,
    parse_networks,
    plain,
)
from prodigon_lib.core.http.errors import from_status
from prodigon_lib.core.http.matching import Place, RouteTable
from prodigon_lib.core.ids import UserId
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.principal import DEVELOPER, Principal
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.security.audit import AuditEvent, AuditLog, Outcome
from prodigon_lib.security.authenticator import Authenticator
from prodigon_lib.security.policy import Rule, rule_for

CREDENTIAL = re.compile(r"[A-Za-z0-9._~+/=-]{1,4096}")
PRINCIPAL = "principal"
NO_ROUTE = "no route"
NOT_GOOD = "this credential is not good for that"
HOW_TO = "send one header of this form: Authorization: Bearer …"
PASSED_ON = frozenset({FORWARDED, b"forwarded", b"x-real-ip", b"via"})
"""Headers that proxies write, one or another of them."""

ADMITTED = Admission()


@dataclass(slots=True)
class Access:
    """A `Guard` of `RequestMiddleware`. Who was let in stands in the request's state.

    A path that no route serves needs a credential as well: whoever has none can't find out which paths there
    are, and what this guard does not recognise never reaches the router.
    """

    authenticator: Authenticator
    denied: Counter
    audit: AuditLog | None
    trusted: Sequence[Network]
    inside: Sequence[Network]
    _table: RouteTable | None = field(default=None, init=False)

    async def __call__(self, scope: Scope) -> Admission:
        place = (self._table or self.read(scope["app"].routes)).find(scope)
        serves = place is not None and scope["method"] in place.methods
        rule = rule_for(scope["method"], place.template) if place is not None and serves else None
        if rule is not None and self._is_open(rule, scope):
            return ADMITTED
        try:
            principal = await self.authenticator.authenticate(bearer_of(scope))
        except Unauthenticated as error:
            return self._deny(scope, place, error, Outcome.FAILURE)
        if place is None or not serves:
            return elsewhere(place)
        if rule is None or not rule.permits(principal):
            return self._deny(scope, place, Forbidden(NOT_GOOD), Outcome.DENIED, principal)
        scope.setdefault("state", {})[PRINCIPAL] = principal
        return ADMITTED

    def read(self, routes: Sequence[BaseRoute]) -> RouteTable:
        """At the start, so that no request has to wait for it; a route that comes later is not found."""
        self._table = RouteTable(routes)
        return self._table

    def _is_open(self, rule: Rule, scope: Scope) -> bool:
        """Whether it asks for no credential, of anybody or of who comes from inside."""
        return rule.scope is None or (rule.inside and self._comes_from_inside(scope))

    def _comes_from_inside(self, scope: Scope) -> bool:
        """A proxy that nobody named may stand inside and pass on what comes from outside."""
        peer = plain(scope["client"][0]) if scope.get("client") else None
        passed_on = any(name in PASSED_ON for name, _ in scope["headers"])
        if peer is None or (passed_on and not within(peer, self.trusted)):
            return False
        address = plain(client_address(scope, self.trusted))
        return address is not None and within(address, self.inside)

    def _deny(
        self,
        scope: Scope,
        place: Place | None,
        error: ProdigonError,
        outcome: Outcome,
        principal: Principal | None = None,
    ) -> Admission:
        self.denied.labels(error.default_code.lower()).inc()
        if self.audit is not None:
            self.audit.record(
                AuditEvent.ACCESS,
                outcome=outcome,
                actor=principal.user if principal is not None else None,
                key=principal.key if principal is not None else None,
                target=f"{scope['method']} {place.template}" if place is not None else NO_ROUTE,
                address=client_address(scope, self.trusted),
                request_id=request_id_or(),
            )
        return Admission(refusal=error)


def access(
    settings: GatewaySettings, metrics: Metrics, authenticator: Authenticator, audit: AuditLog | None
) -> Access:
    denied = Counter(
        "prodigon_access_denied_total",
        "Requests turned away: nobody knew who called, or they may not.",
        ("reason",),
        registry=metrics.registry,
    )
    trusted, inside = parse_networks(settings.trusted_proxies), parse_networks(settings.metrics_from)
    return Access(authenticator, denied, audit, trusted, inside)


def within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def needs_credential(method: str, template: str) -> bool:
    rule = rule_for(method, template)
    return rule is None or rule.scope is not None


def bearer_of(scope: Scope) -> str:
    """The credential of a request.

    Raises:
        Unauthenticated: it has none, or several, or one that can't be any.
    """
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(sent) != 1:
        raise Unauthenticated(HOW_TO)
    scheme, _, credential = sent[0].decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or CREDENTIAL.fullmatch(credential) is None:
        raise Unauthenticated(HOW_TO)
    return str(credential)


def elsewhere(place: Place | None) -> Admission:
    """What the router would answer where it serves nothing, or nothing with that method."""
    if place is None:
        return Admission(refusal=from_status(404))
    allowed = ", ".join(sorted(place.methods)).encode()
    return Admission(((b"allow", allowed),), from_status(405))


def principal_of(scope: Scope) -> Principal:
    """Who was let in; without accounts, the developer whose machine this is.

    Raises:
        Unauthenticated: accounts are on, and no guard let anybody in.
    """
    principal: Principal | None = scope.get("state", {}).get(PRINCIPAL)
    if principal is None and scope["app"].accounts_on:
        raise Unauthenticated("nobody was let in here")
    return principal or DEVELOPER


def user_of(scope: Scope) -> UserId | None:
    """Whose kept answers a request may share: without accounts, all are everybody's."""
    return principal_of(scope).user if scope["app"].accounts_on else None
