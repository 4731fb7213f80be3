"""Who calls: a name, and what it may do."""

from __future__ import annotations

from typing import Final, NamedTuple

SCOPES: Final = ("play", "operate", "admin")
"""What a caller may do, each with the ones before: act in episodes; open and grade its own; everything."""


class Caller(NamedTuple):
    """Somebody who calls. Episodes that it opens belong to its name; "" is anybody."""

    name: str
    scopes: frozenset[str]


ANYBODY: Final = Caller("", frozenset(SCOPES))
"""Every caller of a server that knows no tokens."""

SCOPE_KEY: Final = "cloud_incident.caller"
"""Where an ASGI scope holds the caller of a request."""
