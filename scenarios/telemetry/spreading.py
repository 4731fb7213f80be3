"""How a trouble spread: when each component was first seen to be unwell, by its callers or by how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.telemetry.numbers import format_percent, format_seconds
from scenarios.telemetry.vantage import average
from scenarios.world.flows import Reason
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.world import Run

_NORMAL_TICKS = 20
_FAILING = 0.05
"""The share of calls more than normal that have to fail."""
_SLOWER = 3.0
"""From how many times its normal p99 a component is slow."""
_LEAST_SECONDS = 0.05
"""What takes less is not told as slow."""
_LASTS = 2
"""Ticks for which it has to stay so."""
_MOST = 6
_WORDS = {
    Reason.POOL: "no connection is free",
    Reason.BROKEN: "connections are closed",
    Reason.LOST: "nothing comes back",
    Reason.REFUSED: "connections are refused",
    Reason.FULL: "it takes no more",
    Reason.EXPIRED: "they wait too long in it",
    Reason.LATE: "answers come too late",
    Reason.ERROR: "it answers with errors",
    Reason.DENIED: "it does not accept who calls",
    Reason.UNRESOLVED: "its name is not resolved",
    Reason.FORBIDDEN: "it does not allow them",
    Reason.UNTRUSTED: "its certificate is not valid",
}


class Sign(NamedTuple):
    """What was first seen of a component, and at which second."""

    at: float
    component: str
    said: str


def find_spread(run: Run, root: str, since: float, until: int) -> list[Sign]:
    """The first signs of trouble of a run of one system between two seconds, in their order; six at most.

    It spreads from the root along calls: of a component something is told if it calls, or is called by, one of which
    something was told before. Others have troubles of their own.
    """
    near: dict[str, set[str]] = {}
    for call in run.layout.systems[0].calls:
        source, target = (name.partition("/")[0] for name in (call.source, call.target))
        near.setdefault(source, set()).add(target)
        near.setdefault(target, set()).add(source)
    told: dict[str, Sign] = {}
    for sign in sorted((*_list_failing(run, since, until), *_list_slow(run, since, until))):
        name = sign.component
        if name not in told and (name == root or near.get(name, set()) & {root, *told}):
            told[name] = sign
    return list(told.values())[:_MOST]


def _list_failing(run: Run, since: float, until: int) -> Iterator[Sign]:
    """When calls of each component began to fail, by the caller that saw it first."""
    layout, end = run.layout, int(until / TICK)
    sent, failed = (run.record.get(name, 0, end) for name in ("sent", "failed"))
    total = failed[:, 0] + 0.0
    for reason in range(1, failed.shape[1]):
        total = total + failed[:, reason]
    share = np.where(sent > 0.0, np.minimum(1.0, total / np.maximum(sent, 1e-9)), 0.0)
    for call in range(share.shape[1]):
        tick = _find_first(share[:, call] > average(share[:_NORMAL_TICKS, call]) + _FAILING, since)
        if tick is None:
            continue
        caller, callee = (
            layout.component_names[int(layout.route_component[place])]
            for place in (layout.call_source[call], layout.call_target[call])
        )
        reason = Reason(int(np.argmax(failed[tick, :, call])))
        percent = format_percent(float(share[tick, call]))
        yield Sign(tick * TICK, callee, f"{percent} of what {caller} asks {callee} fails, because {_WORDS[reason]}")


def _list_slow(run: Run, since: float, until: int) -> Iterator[Sign]:
    """When each component began to take much longer than it does normally."""
    layout = run.layout
    p99 = run.record.get("p99", 0, int(until / TICK))
    for route in range(p99.shape[1]):
        usual = average(p99[:_NORMAL_TICKS, route])
        tick = _find_first(p99[:, route] > max(_SLOWER * usual, _LEAST_SECONDS), since)
        if tick is not None:
            name = layout.component_names[int(layout.route_component[route])]
            now = format_seconds(float(p99[tick, route]))
            yield Sign(tick * TICK, name, f"{name} takes {now} at p99 (normal {format_seconds(usual)})")


def _find_first(unwell: np.ndarray[tuple[int], np.dtype[np.bool_]], since: float) -> int | None:
    """The first whole tick after a second from which on it is unwell: for a while, and for most of what follows."""
    for tick in range(-int(-since // TICK), len(unwell) - _LASTS + 1):
        if unwell[tick : tick + _LASTS].all() and 2 * np.count_nonzero(unwell[tick:]) > len(unwell) - tick:
            return tick
    return None
