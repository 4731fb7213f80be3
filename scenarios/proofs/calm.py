"""Calm incidents: somebody is paged, and once the cause can be known there is nothing to repair any more.

They are few: who always says so has to gain nothing. A hash of the seed decides which draws may be calm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scenarios.proofs.harm import average_harm, find_harm, measure_harm
from scenarios.proofs.reading import open_run
from scenarios.proofs.repairs import LASTINGS, WELL
from scenarios.world.chance import hash_names

if TYPE_CHECKING:
    from scenarios.world import Run

Calm = Literal["recovered", "heals", "unfelt", "misfires"]
"""Why nothing is to be repaired: it was over at the first look or is before anybody can know its cause, users feel
next to nothing of it, or only what is nobody's journey fails."""

ENDING: tuple[Calm, ...] = ("recovered", "heals")
"""Of those, the ones in which users had a trouble that is over."""

LEAST_AVOIDABLE = 0.1
"""Minutes in which nobody is served that a repair has to be able to save, for there to be anything to repair."""
_ADMITS_ONE_IN = 3
"""Of ten draws that are proved about one more is calm, so that one in three of those leaves less than one in twenty."""


def admits_calm(seed: int) -> bool:
    """Whether the draw of a background with a seed may be calm."""
    return int(hash_names(seed, ["admitted"], "nothing to repair")[0]) % _ADMITS_ONE_IN == 0


def find_calm(knowing: Run, rule: str, struck_at: float, first_look: int) -> Calm | None:
    """Why nothing is to be repaired from now on; None if something is.

    `knowing` runs an incident and, behind it, the same without the fault, as they stand when an honest searcher knows
    the cause. A `rule` has paged for it, which nobody looked into before the `first_look`.
    """
    begin = int(knowing.time)
    run = knowing.fork()
    run.advance(LASTINGS[-1])
    end = begin + LASTINGS[-1]
    opened = open_run(run)
    harm, without = (find_harm(opened, end, place) for place in (0, 1))

    def count_lost(since: float, until: float) -> float:
        return measure_harm(harm, since, until) - measure_harm(without, since, until)

    def is_well(until: float, seconds: float) -> bool:
        since = until - seconds
        return average_harm(harm, since, until) <= average_harm(without, since, until) + WELL

    spans = [begin + lasts for lasts in LASTINGS]
    if any(count_lost(begin, until) >= LEAST_AVOIDABLE for until in spans):
        return None
    if not all(is_well(until, (until - begin) / 3) for until in spans):
        return None
    if count_lost(struck_at, end) < LEAST_AVOIDABLE:
        return "misfires" if _is_nobodys(knowing, rule) else "unfelt"
    return "recovered" if count_lost(first_look, end) < LEAST_AVOIDABLE else "heals"


def _is_nobodys(run: Run, rule: str) -> bool:
    """Whether a rule watches only what is worth nothing to anybody."""
    system = run.layout.systems[0]
    watched = next(each.journeys for each in system.alerts if each.name == rule)
    return bool(watched) and all(each.worth == 0.0 for each in system.journeys if each.name in watched)
