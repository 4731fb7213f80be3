"""Who calls: a name, what it may do, and the caller for whom the present task works."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, ClassVar, Final, Literal, NamedTuple

from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Iterator

Need = Literal["public", "play", "operate", "admin"]
"""What a caller needs for something: nothing, or one of the scopes."""

PUBLIC: Final = "public"
"""Nothing is needed."""
PLAY: Final = "play"
"""Act and look in episodes."""
OPERATE: Final = "operate"
"""Open, fork, grade and close one's own episodes."""
ADMIN: Final = "admin"
"""Everything: others' episodes, stored evaluations, model runs."""

SCOPES: Final = (PLAY, OPERATE, ADMIN)
"""What a caller may do, each with the ones before: act in episodes; open and grade its own; everything."""


class Caller(NamedTuple):
    """Somebody who calls. Episodes that it opens belong to its name; "" is anybody.

    `address` tells callers apart who have no name; "" where they need not be told apart. `network` is that of the
    address, if that is a part of it only.
    """

    name: str
    scopes: frozenset[str]
    address: str = ""
    network: str = ""

    @property
    def account(self) -> str:
        """Under what its episodes and sessions are counted. Who has an address of IPv6 has as many as it likes."""
        return self.name or self.network or self.address

    def may_see(self, owner: str) -> bool:
        """Whether episodes of an owner are the caller's own, or it may see those of others."""
        return ADMIN in self.scopes or (self.name == owner and self.name != "")


ANYBODY: Final = Caller("", frozenset(SCOPES))
"""Every caller of a server that knows no tokens; and the server itself."""

NOBODY: Final = Caller("", frozenset())
"""A caller who has shown no token that is valid, on a server that asks for tokens."""

SCOPE_KEY: Final = "cloud_incident.caller"
"""Where an ASGI scope holds the caller of a request."""

CALLER: Final[ContextVar[Caller]] = ContextVar("caller")
"""For whom the present task works. Where it is not set the episode service decides whom it takes that for."""


class CallerError(CloudIncidentError):
    """A call by somebody who may not make it. `challenge` is RFC 6750's code for it, and `summary` says it shortly."""

    code = "not_allowed"
    challenge: ClassVar[str]
    summary: ClassVar[str]


class UnauthenticatedError(CallerError):
    """A call without a token that is valid, where one is needed."""

    code = "unauthenticated"
    challenge = "invalid_token"
    summary = "A valid token is needed"

    def __init__(self) -> None:
        super().__init__(
            "A valid token is needed: send the header `Authorization: Bearer TOKEN`. None was sent, or one that is not "
            "known here or has expired. Whoever runs the server makes one with `cloud-incident tokens add`."
        )


class ScopeError(CallerError):
    """A call whose token is valid and does not allow for it. `needed` is the scope that would."""

    code = "insufficient_scope"
    challenge = "insufficient_scope"
    summary = "The token has not the scope"

    def __init__(self, needed: str) -> None:
        super().__init__(f"This needs a token of scope `{needed}`; yours does not have it. Nothing was done.")
        self.needed = needed


def is_loopback(address: str) -> bool:
    """Whether an address or name is this machine's own."""
    if address == "localhost":
        return True
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def read_network(address: str) -> str:
    """The network of an address: in IPv6 that of its first 64 bits, all of whose addresses one caller may have."""
    if ":" not in address:
        return address
    try:
        found = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))


@contextmanager
def acting_as(caller: Caller) -> Iterator[None]:
    """Work for a caller while this is entered."""
    before = CALLER.set(caller)
    try:
        yield
    finally:
        CALLER.reset(before)


def check_need(need: Need, caller: Caller) -> None:
    """Refuse a caller who lacks what something needs.

    Raises:
        UnauthenticatedError: if the caller has shown no valid token.
        ScopeError: if the token has not the scope.
    """
    if need in caller.scopes or need == PUBLIC:
        return
    if not caller.scopes:
        raise UnauthenticatedError
    raise ScopeError(need)
