"""Why attempts of calls fail."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why an attempt of a call failed.

    `POOL`: the caller had no connection free. `BROKEN`: the connections of its pool are dead. `LOST`: nothing came back
    from the network. `REFUSED`: nobody listened. `FULL`: the callee took no more. `EXPIRED`: it waited in the callee
    for too long. `LATE`: it was answered after the deadline. `ERROR`: it was answered with an error. `DENIED`: the
    callee did not accept who called. `UNRESOLVED`: the caller has found no address of the callee. `FORBIDDEN`: the
    callee knew the caller, and did not let it do this. `UNTRUSTED`: the certificate of the callee was not valid.
    """

    POOL = 0
    BROKEN = 1
    LOST = 2
    REFUSED = 3
    FULL = 4
    EXPIRED = 5
    LATE = 6
    ERROR = 7
    DENIED = 8
    UNRESOLVED = 9
    FORBIDDEN = 10
    UNTRUSTED = 11


FAST_REASONS = (
    Reason.BROKEN,
    Reason.REFUSED,
    Reason.FULL,
    Reason.DENIED,
    Reason.UNRESOLVED,
    Reason.FORBIDDEN,
    Reason.UNTRUSTED,
)
"""Reasons for which a caller does not wait for an answer."""
