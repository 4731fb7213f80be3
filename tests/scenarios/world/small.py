"""Small systems for the tests of kernels, and what users got of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenarios.world import System
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.world import Run


def build(components: Sequence[dict[str, Any]], calls: Sequence[dict[str, Any]], **others: Any) -> System:
    """A system; of a component only the name, the software and the routes have to be given.

    Nothing fails by itself in it, and all own work is spread in the usual way, unless that is said.
    """
    calm = [
        {
            **component,
            "parameters": {"stray_errors": 0, "stray_timeouts": 0, **component.get("parameters", {})},
            "routes": [{"tail": "usual", **route} for route in component["routes"]],
        }
        for component in components
    ]
    return System.model_validate({"name": "small", "components": calm, "calls": calls, "journeys": (), **others})


def measure_success(run: Run, route: str, begin: float, end: float) -> float:
    """The share of the requests of users at a route that ended well between two times, in seconds."""
    place = run.layout.route_names.index(route)
    ticks = slice(int(begin / TICK), int(end / TICK))
    good = run.record.get("users_good")[ticks, place]
    failed = run.record.get("users_failed")[ticks, place]
    return float(good.sum() / (good.sum() + failed.sum()))


def measure_rate(run: Run, route: str, begin: float, end: float) -> float:
    """The requests a second that reached a route between two times, in seconds."""
    place = run.layout.route_names.index(route)
    ticks = run.record.get("arrived")[int(begin / TICK) : int(end / TICK), place]
    return float(ticks.sum() / (len(ticks) * TICK))
