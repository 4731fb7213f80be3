"""Which rivals a look excludes: what a look shows must be impossible with them, however strong they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.proofs.signs import UNKNOWN, Signs
from scenarios.world.reasons import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.layout import Layout

    Differs = NDArray[np.bool_]

LOOKS = ("check_metrics", "query_logs", "check_dependencies", "check_recent_deploys", "check_service_status")


def find_differences(truth: Signs, rivals: Signs, layout: Layout) -> dict[str, Differs]:
    """By diagnostic: whether a look at a component tells the truth from a rival, an array by rival and component.

    `truth` has one world, `layout` is that of its system. A sign that innocent things show too speaks one way only: a
    rival that must show it is excluded where it is missing, and never because it is there. What becomes of calls
    speaks both ways.
    """
    missing = _lacks(truth.levels, rivals.levels).any(axis=2)
    errors = _lacks(truth.errors, rivals.errors)
    events = ((rivals.events == 1) & (truth.events == 0)).any(axis=2)
    changes = ((rivals.changes == 1) & (truth.changes == 0)).any(axis=2)
    calls = _parts(truth.failing, rivals.failing) | _contradicts(truth, rivals)
    outgoing = _spread(calls, layout.route_component[layout.call_source], missing.shape)
    instances = _lacks(truth.levels[:, :, -1:], rivals.levels[:, :, -1:]).any(axis=2)
    return {
        "check_metrics": missing | errors,
        "query_logs": errors | events | outgoing,
        "check_dependencies": outgoing,
        "check_recent_deploys": changes,
        "check_service_status": instances | events,
    }


def _lacks(truth: NDArray[np.int8], rival: NDArray[np.int8]) -> Differs:
    """The rival shows it by two classes or more, and the truth does not."""
    return np.asarray((np.abs(rival) >= 2) & (truth == 0) & (rival != UNKNOWN))


def _parts(truth: NDArray[np.int8], rival: NDArray[np.int8]) -> Differs:
    known = (truth != UNKNOWN) & (rival != UNKNOWN)
    return np.asarray(known & (np.abs(truth.astype(np.int64) - rival) >= 2))


def _contradicts(truth: Signs, rivals: Signs) -> Differs:
    """Calls fail in both, and for different reasons."""
    none = len(Reason)
    both = (truth.reason != none) & (rivals.reason != none) & (truth.failing >= 2) & (rivals.failing >= 2)
    return np.asarray(both & (truth.reason != rivals.reason))


def _spread(calls: Differs, owners: NDArray[np.int64], shape: tuple[int, ...]) -> Differs:
    """What is told of calls, by the components that make them."""
    found = np.zeros(shape, dtype=np.bool_)
    for place, owner in enumerate(owners.tolist()):
        found[:, owner] |= calls[:, place]
    return found
