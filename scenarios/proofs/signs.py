"""Signs: what a look at a component tells, in small integers, from runs without noise.

An observable has a class: 0 is as without the fault. One that a value near a boundary would put into either of two
classes says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.faults import FAMILIES
from scenarios.world.reasons import Reason
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world import Run
    from scenarios.world.layout import Floats

    Classes = NDArray[np.int8]

UNKNOWN = 99
"""The class of what is too near a boundary."""
WINDOW = 240.0
"""Seconds before a look over which rates are averaged."""
_JOBS = tuple(sorted({name for family in FAMILIES.values() if family.job is not None for name in family.job.names}))
EVENTS = ("oom", "start", "stop", "gave_up", "pool_failed", "disk_full", *_JOBS)
"""What is printed once: of jobs, their names."""
CHANGES = ("deploy", "flag", "config")
_EDGES = (-3, 0.2), (-2, 0.45), (-1, 0.75), (0, 1.35), (1, 2.5), (2, 6.0), (3, np.inf)
"""A class and the ratio to the usual value up to which it reaches."""
_SHARES = (0, 0.005), (1, 0.05), (2, 0.3), (3, np.inf)
_BAND = 0.08
"""What noise may change of a mean, as a share of it."""


@dataclass(frozen=True, eq=False)
class Signs:
    """The observables of some worlds of one system at a second, as arrays by world and what they are of.

    Of components: `levels` (memory, processors, queue, arrivals, p99, instances), `errors`, the shares of requests that
    are not answered well, `events` and `changes`, 1 where there is any of a kind. Of calls: `failing` and, where it is
    not 0, `reason`.
    """

    levels: Classes
    errors: Classes
    events: Classes
    changes: Classes
    failing: Classes
    reason: Classes


def read_signs(run: Run, usual: Run, at: float) -> Signs:
    """The signs of all worlds of a run without noise. `usual` is one world of the same system without the fault."""
    worlds = len(run.layout.systems)
    levels = [_rank_ratio(_read(run, name, at, worlds), _read(usual, name, at, 1)) for name in _LEVELS]
    routes, before = (_find_errors(each, at, count) for each, count in ((run, worlds), (usual, 1)))
    failing, reason = _find_failing(run, at, worlds)
    components = len(usual.layout.components)
    return Signs(
        levels=np.stack(levels, axis=2),
        errors=_rank_share(np.maximum(0.0, routes - before)),
        events=_find_events(run, at, worlds, components, EVENTS),
        changes=_find_events(run, at, worlds, components, CHANGES),
        failing=failing,
        reason=reason,
    )


_LEVELS = ("memory", "computed", "queue", "arrived", "p99", "running")
_OF_ROUTES = frozenset({"arrived", "p99"})


def _read(run: Run, name: str, at: float, worlds: int) -> Floats:
    """The mean of a quantity over the window, by world and component; latencies are those of the slowest route."""
    ticks = run.record.get(name, int((at - WINDOW) / TICK), int(at / TICK))
    total = ticks[0] + 0.0
    for row in ticks[1:]:
        total = total + row
    mean = total / len(ticks)
    if name in _OF_ROUTES:
        components = len(run.layout.components)
        of_route = run.layout.route_component
        found = np.zeros(components)
        if name == "p99":
            np.maximum.at(found, of_route, mean)
        else:
            np.add.at(found, of_route, mean)
        mean = found
    return np.asarray(mean.reshape(worlds, -1))


def _find_errors(run: Run, at: float, worlds: int) -> Floats:
    """The share of requests that a component did not answer well."""
    bad = _add(run, "faulty", at) + _add(run, "full", at) + _add(run, "expired", at) + _add(run, "rejected", at)
    came = _add(run, "arrived", at) + _add(run, "rejected", at)
    of_route, components = run.layout.route_component, len(run.layout.components)
    bad_c = np.bincount(of_route, weights=bad, minlength=components)
    came_c = np.bincount(of_route, weights=came, minlength=components)
    return np.asarray((bad_c / np.maximum(came_c, 1e-9)).reshape(worlds, -1))


def _add(run: Run, name: str, at: float) -> Floats:
    ticks = run.record.get(name, int((at - WINDOW) / TICK), int(at / TICK))
    total = ticks[0] + 0.0
    for row in ticks[1:]:
        total = total + row
    return np.asarray(total)


def _find_failing(run: Run, at: float, worlds: int) -> tuple[Classes, Classes]:
    """By world and call: the class of the share of attempts that failed, and the reason of most of them."""
    failed, sent = _add(run, "failed", at), _add(run, "sent", at)
    total = failed[0] + 0.0
    for row in failed[1:]:
        total = total + row
    share = _rank_share(total / np.maximum(sent, 1e-9))
    reason = np.argmax(failed, axis=0).astype(np.int8)
    reason = np.where((share > 0) & (share != UNKNOWN), reason, len(Reason)).astype(np.int8)
    return share.reshape(worlds, -1), reason.reshape(worlds, -1)


def _find_events(run: Run, at: float, worlds: int, components: int, kinds: tuple[str, ...]) -> Classes:
    found = np.zeros((worlds, components, len(kinds)), dtype=np.int8)
    for event in run.state.events:
        what = event.details.get("job", event.what)
        if what in kinds and event.at <= at:
            world, component = divmod(event.component, components)
            found[world, component, kinds.index(str(what))] = 1
    return found


def _rank_ratio(values: Floats, usual: Floats) -> Classes:
    ratio = (values + 1e-3) / (usual + 1e-3)
    return _settle(_rank(ratio * (1.0 - _BAND), _EDGES), _rank(ratio * (1.0 + _BAND), _EDGES))


def _rank_share(shares: Floats) -> Classes:
    return _settle(_rank(shares * (1.0 - _BAND), _SHARES), _rank(shares * (1.0 + _BAND), _SHARES))


def _rank(values: Floats, edges: tuple[tuple[int, float], ...]) -> Classes:
    found = np.full(values.shape, edges[-1][0], dtype=np.int8)
    for rank, edge in reversed(edges):
        found = np.where(values <= edge, rank, found).astype(np.int8)
    return found


def _settle(low: Classes, high: Classes) -> Classes:
    return np.where(low == high, low, UNKNOWN).astype(np.int8)
