"""Finds the cause of the trouble of a running system: where the failing calls end, and around that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.agents.responder.running.calls import (
    REFUSALS,
    UNCONNECTED,
    UNRESOLVED,
)
from cloud_incident.evaluation.agents.responder.running.hypotheses import (
    CACHE,
    CLIENT,
    DOOR,
    ITSELF,
    PATH,
    RESOLVER,
    SERVER,
    STORE,
)
from cloud_incident.evaluation.agents.responder.running.judging import (
    Trouble,
    Verdict,
    find_fresh_change,
    is_late,
    judge,
    name_kind,
)
from cloud_incident.evaluation.agents.responder.running.walking import look_around, walk

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.running.walking import Hop

_RESOLVERS = ("dns", "resolv", "names")
_PATHS = ("router", "backbone", "network", "fabric")
_CACHES = ("cache",)
"""Words in the names of components, only to choose whom to look at first."""
_GREW = 1.5
"""Factor on its usual calls, from which on a client asks a store for what it had elsewhere."""
_GREW_MUCH = 2.5
"""From here on that is looked at before anything else."""
_TELLING = {"flag": "check_service_status", "deploy": "check_metrics"}
"""What tells more of a client by the kind of its change: whether a job began, and what it holds."""


class Diagnosis(NamedTuple):
    """What was found: the way to the last failing component, what its callers meet, and what explains it, if known."""

    way: list[Hop]
    trouble: Trouble
    verdict: Verdict | None


def diagnose(desk: Desk, start: str, kept: int) -> Play[Diagnosis]:
    """Find the cause, as long as more than `kept` steps are left."""
    way = yield from walk(desk, start, kept + 1)
    end = way[-1]
    trouble = Trouble(
        end.call.symptom if end.call else "",
        (end.call.since if end.call else None) or desk.fired_at,
        name_kind(desk, end.service),
    )
    candidates = yield from _list_candidates(desk, way, trouble, kept)
    for lies, service in candidates:
        verdict = yield from _examine(desk, trouble, lies, service, kept)
        if verdict is not None:
            return Diagnosis(way, trouble, verdict)
    return Diagnosis(way, trouble, judge(desk, trouble, ITSELF, None, end.service))


def _list_candidates(desk: Desk, way: list[Hop], trouble: Trouble, kept: int) -> Play[list[tuple[str, str]]]:
    """List who may be the cause, and how it lies to the end of the way, the likeliest first."""
    itself = (ITSELF, way[-1].service)
    if trouble.symptom in {UNCONNECTED, UNRESOLVED}:
        return [*((RESOLVER, name) for name in _list_named(desk, _RESOLVERS)), itself]
    if not trouble.symptom:
        return [itself, (DOOR, way[0].service)]
    if not is_late(trouble):
        return [itself]
    paths = [(PATH, name) for name in _list_named(desk, _PATHS)]
    above = way[-2].service
    if trouble.fails != STORE:
        return [itself, (CLIENT, above), (DOOR, way[0].service), *paths]
    around = yield from look_around(desk, way[-1].service)
    ill = [call for call in around.callers if call.ill]
    clients = sorted(ill, key=lambda call: (call.service != above, -call.growth))
    grown = max(clients, key=lambda call: call.growth, default=None)
    caches: list[tuple[str, str]] = []
    if grown is not None and grown.growth >= _GREW and desk.steps_left > kept:
        calls = (yield from look_around(desk, grown.service)).calls
        caches = [(CACHE, call.service) for call in calls if any(word in call.service for word in _CACHES)]
    first = caches if grown is not None and grown.growth >= _GREW_MUCH else []
    return [*first, itself, *caches, *((CLIENT, call.service) for call in clients)]


def _examine(desk: Desk, trouble: Trouble, lies: str, service: str, kept: int) -> Play[Verdict | None]:
    """Examine a component as the cause."""
    if lies == DOOR:
        if desk.steps_left > kept:
            yield from desk.look("check_metrics", service)
        return judge(desk, trouble, lies, None, service)
    if desk.steps_left <= kept:
        return None
    change = yield from find_fresh_change(desk, service, trouble.began)
    if change is None:
        if lies != ITSELF:
            return None
        if trouble.symptom in REFUSALS:
            return judge(desk, trouble, lies, None, service)
        if trouble.fails == SERVER and desk.steps_left > kept:
            yield from desk.look("check_service_status", service)
            return judge(desk, trouble, lies, None, service)
        return None
    if lies == CLIENT and change.kind in _TELLING and desk.steps_left > kept:
        yield from desk.look(_TELLING[change.kind], service)
    return judge(desk, trouble, lies, change, service)


def _list_named(desk: Desk, words: tuple[str, ...]) -> list[str]:
    return [name for name in desk.shown["known_services"] if any(word in name for word in words)]
