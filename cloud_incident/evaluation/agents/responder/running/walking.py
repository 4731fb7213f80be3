"""Walks along failing calls, from the service that users enter through to the last one that explains the trouble."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.agents.responder.running.calls import LATE, REFUSALS, Call, read_surroundings

if TYPE_CHECKING:
    from datetime import datetime

    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.running.calls import Surroundings

_DEEPEST = 6
"""Services on the way down."""
_LATER = timedelta(minutes=1)
"""By so much later a callee may seem to fail than what it makes fail: times are told in minutes."""
_EARLIER = timedelta(minutes=2)
"""By so much earlier the trouble of a callee rather is another one."""
_OLD = timedelta(minutes=45)
"""What has failed for longer than this before the page is another trouble."""
_PART = 0.3
"""The least part of what its caller loses that a callee has to lose, to explain it."""
_FAR = 10.0
"""The factor of a call that loses nothing."""
_TIME = 0.1
"""The least part of the time of its caller that a callee has to take, to explain that it is late."""

_MUCH_SLOWER = 3.0
"""Factor on its usual p99, from which on a callee that answers explains that its caller is late."""


class Hop(NamedTuple):
    """A service on the way, and the call that led to it: none to the first."""

    service: str
    call: Call | None


def walk(desk: Desk, start: str, kept: int) -> Play[list[Hop]]:
    """Walk along failing calls, as far as at least `kept` steps are left. Gives the services on the way."""
    way = [Hop(start, None)]
    while len(way) < _DEEPEST:
        here = way[-1]
        if here.call is not None and here.call.symptom in REFUSALS:
            break
        if desk.steps_left <= kept and ("check_dependencies", here.service) not in desk.seen:
            break
        around = yield from look_around(desk, here.service)
        passed = {hop.service for hop in way}
        below = choose_call(desk, here.call, [call for call in around.calls if call.service not in passed])
        if below is None:
            break
        way.append(Hop(below.service, below))
    return way


def look_around(desk: Desk, service: str) -> Play[Surroundings]:
    """Look at what a service calls, and what calls it."""
    return read_surroundings((yield from desk.look("check_dependencies", service)))


def choose_call(desk: Desk, above: Call | None, calls: list[Call]) -> Call | None:
    """Choose the call that explains best what is seen above; None if none does."""
    fitting = [call for call in calls if _explains(call, above, desk.fired_at)]

    def rank(call: Call) -> tuple[object, ...]:
        other = above is not None and above.symptom in LATE and not call.late
        apart = above is not None and _began_before(call, above)
        unlisted = above is None and call.service not in desk.alerted
        return unlisted, other, apart, _differ(call, above), -call.lost, -call.takes

    return min(fitting, key=rank, default=None)


def _began_before(call: Call, above: Call) -> bool:
    """Whether a call failed for so long before the one above it that it rather is another trouble."""
    return call.since is not None and above.since is not None and call.since < above.since - _EARLIER


def _differ(call: Call, above: Call | None) -> float:
    """How far the losses of a call are from those above it, as a factor: what is lost below is lost above."""
    if above is None or not above.lost or not call.lost:
        return 0.0 if above is None else _FAR
    return max(call.lost / above.lost, above.lost / call.lost)


def _explains(call: Call, above: Call | None, fired_at: datetime) -> bool:
    """Whether the trouble of a call explains that of the call above it."""
    if not call.ill or (call.since is not None and call.since < fired_at - _OLD):
        return False
    if above is None:
        return call.share > 0 or call.late
    if above.since and call.since and call.since > above.since + _LATER:
        return False
    if above.symptom in LATE or (above.late and not above.share):
        slows = call.late and call.takes >= _TIME * above.takes and call.slower >= _MUCH_SLOWER
        return slows or call.lost >= _PART * above.lost > 0
    return call.lost >= _PART * above.lost
