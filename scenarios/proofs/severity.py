"""Severity: what the matrix says of a run in which nothing is done, and whether that is clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.telemetry.pages import find_failing
from scenarios.vocabulary.severity import MAIN_FAILS, MOST_FAIL, PART_FAILS
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.vocabulary import Severity
    from scenarios.world import Journey, Run

CORE_WORTH = 0.25
"""A journey worth so much of all is core."""
MAIN_WORTH = 0.08
"""One worth so much is a main function. What is worth less can wait, what is worth nothing is nobody's."""
JUDGED_SECONDS = 300
"""Severity is judged over so many seconds from the page on."""
_MARGIN = 0.2
"""By this share every boundary has to be missed."""


def judge_severity(run: Run, fired: int) -> Severity | None:
    """The severity of an incident that paged at a second, by a run that went on for `JUDGED_SECONDS`.

    None if it is too near a boundary, or another one in the first three minutes than over all of the time.
    """
    found = {
        _judge(_average(run, fired, fired + seconds), run, factor)
        for factor in (1.0 - _MARGIN, 1.0, 1.0 + _MARGIN)
        for seconds in (180, JUDGED_SECONDS)
    }
    return found.pop() if len(found) == 1 else None


def rate_severity(run: Run, fired: int) -> Severity:
    """What the matrix says of the time that is judged, however near to a boundary."""
    return _judge(_average(run, fired, fired + JUDGED_SECONDS), run, 1.0)


def list_worths(journeys: Sequence[Journey]) -> str:
    """What the journeys of a system are to its business, in a sentence."""
    ranks: dict[str, list[str]] = {"core": [], "main": [], "minor": []}
    for journey in journeys:
        if journey.worth > 0.0:
            ranks[rank_journey(journey.worth)].append(journey.name)
    words = {"core": "Core", "main": "another main function", "minor": "something that can wait"}
    told = [f"{words[rank]}: {', '.join(names)}" for rank, names in ranks.items() if names]
    return f"{'; '.join(told)}."


def _average(run: Run, since: int, until: int) -> dict[str, float]:
    """The share of requests that fail, by journey."""
    ticks = slice(int(since / TICK), int(until / TICK))
    found = {}
    for name, shares in find_failing(run, until).items():
        total = 0.0
        for share in shares[ticks]:
            total += share
        found[name] = total / max(1, len(shares[ticks]))
    return found


def _judge(failing: dict[str, float], run: Run, factor: float) -> Severity:
    """What the matrix says if its boundaries were a factor higher."""
    worst = {"core": 0.0, "main": 0.0, "minor": 0.0}
    for journey in run.layout.systems[0].journeys:
        if journey.worth > 0.0:
            rank = rank_journey(journey.worth)
            worst[rank] = max(worst[rank], failing[journey.name])
    if worst["core"] >= MOST_FAIL * factor:
        return "P1"
    if worst["core"] >= PART_FAILS * factor or worst["main"] >= MAIN_FAILS * factor:
        return "P2"
    return "P3" if max(worst["minor"], worst["main"]) >= PART_FAILS * factor else "P4"


def rank_journey(worth: float) -> str:
    """`core`, `main` or `minor`, by what a journey is worth of all."""
    if worth >= CORE_WORTH:
        return "core"
    return "main" if worth >= MAIN_WORTH else "minor"
