"""Symptoms: what a run truly shows at some of its components, whatever caused it. To name one is no mistake.

What fails from outside is a cause and no symptom: wrong credentials, a certificate, a name without an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scenarios.world.reasons import Reason
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scenarios.world import Run
    from scenarios.world.layout import Floats

SHOWN_SECONDS = 600
"""For how long after the first look symptoms are gathered, if nothing is done."""
_TICKS = 4
_SHARE = 0.05
"""The share of attempts of a call that have to fail for a reason, for a minute."""
_LEAST = 1.0
"""Attempts in a minute that are enough to say so."""
_BUSY = 0.95
"""The share of all processors of a component from which on they are all at work."""
_MORE = 3.0
"""By how much a backlog has to grow."""
_STARTS = 2
"""Starts of a process by itself that make a loop."""
_OF_EVENTS = {"oom": "memory", "disk_full": "disk", "disk_stop": "disk"}
_OF_REFUSALS = {"store": "connection_pool", "server": "threads"}
"""What it is that has run out where one answers that it is too busy, by kernel."""


def list_symptoms(run: Run, until: int) -> frozenset[str]:
    """The failure families of the catalogue that a run has shown up to a second."""
    end = int(until / TICK) // _TICKS * _TICKS
    return frozenset((*_read_events(run, until), *_read_calls(run, end), *_read_levels(run, end)))


def _read_events(run: Run, until: int) -> Iterator[str]:
    starts: dict[int, int] = {}
    for event in run.state.events:
        if event.at > until:
            continue
        if event.what in _OF_EVENTS:
            yield _OF_EVENTS[event.what]
        if event.what == "start" and event.details["again"]:
            starts[event.component] = starts.get(event.component, 0) + 1
    if max(starts.values(), default=0) >= _STARTS:
        yield "crash_loop"


def _read_calls(run: Run, end: int) -> Iterator[str]:
    layout = run.layout
    sent, failed = (_add_minutes(run.record.get(name, 0, end)) for name in ("sent", "failed"))
    full, pool = (
        ((failed[:, reason] > _SHARE * sent) & (sent > _LEAST)).any(axis=0) for reason in (Reason.FULL, Reason.POOL)
    )
    if pool.any():
        # Who waits for a connection keeps a thread busy by that.
        yield from ("connection_pool", "threads")
    for call in np.nonzero(full)[0].tolist():
        target = layout.components[int(layout.route_component[layout.call_target[call]])]
        yield "rate_limit" if target.software == "third-party" else _OF_REFUSALS.get(target.kind.kernel, "queue")


def _read_levels(run: Run, end: int) -> Iterator[str]:
    layout = run.layout
    computed, running = (run.record.get(name, 0, end) for name in ("computed", "running"))
    cores = np.array([component.get("cores") for component in layout.components])
    busy = (computed / TICK > _BUSY * cores * running) & (running > 0.0)
    if _add_minutes(busy * 1.0).max(initial=0.0) == _TICKS:
        yield "cpu"
    backlog = run.record.get("backlog", 0, end)
    if backlog.shape[1] and (backlog[-1] > _MORE * np.maximum(backlog[:20].max(axis=0), 100.0)).any():
        yield "queue"


def _add_minutes(rows: NDArray[np.floating[Any]]) -> Floats:
    """Counts of ticks as counts of minutes."""
    parts = rows.reshape(-1, _TICKS, *rows.shape[1:])
    total = parts[:, 0] + 0.0
    for place in range(1, _TICKS):
        total = total + parts[:, place]
    return np.asarray(total)
