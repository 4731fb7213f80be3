"""Alert rules as teams have them: for one journey or for some, strict or patient, and for queues and disks.

Their names say what is seen, never why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.drawing.ladders import DEADLINES, SIZES, climb
from scenarios.drawing.pruning import find_reached
from scenarios.world import AlertRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.drawing.sketch import JourneySketch, Sketch
    from scenarios.generator.dice import Dice

_SHARES = (0.02, 0.03, 0.04, 0.05, 0.05, 0.08, 0.1, 0.1, 0.15, 0.2, 0.25)
_SECONDS = (60.0, 90.0, 120.0, 120.0, 180.0, 240.0, 300.0)
_SEVERITIES = ("critical", "critical", "page", "high", "warning")
_ENDINGS = ("Failing", "FailureRateHigh", "ErrorBudgetBurn", "AvailabilityLow", "SloBreach", "ErrorsHigh")
_GROUPS = ("CoreJourneys", "CustomerJourneys", "MainJourneys", "PublicApi", "Frontdoor")
_SLOW_ENDINGS = ("Slow", "LatencyHigh", "LatencySlo", "P99High")
_QUEUE_ENDINGS = ("LagHigh", "BacklogGrowing", "Behind", "QueueLong")
_DISKS = (0.82, 0.85, 0.85, 0.88, 0.9)
_WATCHED = 0.4
"""How often somebody watches how long a journey takes, a queue, or a disk."""
_CHECK_SHARES = (0.1, 0.2, 0.25, 0.3)
_CHECK_ENDINGS = ("Failing", "ProbeFailing", "Down")
_ALONE = 0.55
"""How often a journey has a rule of its own."""


def draw_alerts(sketch: Sketch, troubled: frozenset[str], dice: Dice) -> tuple[AlertRule, ...]:
    """The alert rules of a system. Each journey that is worth something is in one of them at least.

    Nobody watches the disk of a `troubled` component, nor the queues of those who need one: who did would have been
    paged for nothing.
    """
    journeys = [journey for journey in sketch.journeys if journey.worth > 0.0]
    alone = [journey for journey in journeys if dice.chance(_ALONE)]
    together = [journey for journey in journeys if journey not in alone]
    ending = dice.pick(_ENDINGS)
    labels = _draw_labels(sketch, dice)
    rules = [_draw_rule(_camel(journey.name) + ending, [journey], labels, dice) for journey in alone]
    if len(together) == 1:
        rules.append(_draw_rule(_camel(together[0].name) + ending, together, labels, dice))
    elif together:
        rules.append(_draw_rule(_camel(sketch.business) + dice.pick(_GROUPS) + ending, together, labels, dice))
    rules += [
        AlertRule(
            name=_camel(check.name) + dice.pick(_CHECK_ENDINGS),
            journeys=(check.name,),
            above=dice.pick(_CHECK_SHARES),
            lasts=dice.pick(_SECONDS),
            severity=dice.pick(_SEVERITIES),
            labels=labels,
        )
        for check in sketch.journeys
        if check.is_check
    ]
    rules += _draw_slow(sketch, journeys, labels, dice.fork("slow"))
    rules += _draw_queues(sketch, troubled, labels, dice.fork("queues"))
    rules += _draw_disks(sketch, troubled, labels, dice.fork("disks"))
    return tuple(rules)


def _draw_slow(
    sketch: Sketch, journeys: list[JourneySketch], labels: dict[str, str], dice: Dice
) -> Iterator[AlertRule]:
    """Some journeys are to be fast: several times what is usual is too slow, and more than what they can do without."""
    ending = dice.pick(_SLOW_ENDINGS)
    for journey in journeys:
        if dice.chance(_WATCHED):
            route = sketch.get_route(journey.entry)
            yield AlertRule(
                name=_camel(journey.name) + ending,
                watches="latency",
                journeys=(journey.name,),
                above=climb(DEADLINES, max(route.latency[3] * dice.between(2.0, 3.2), 1.3 * route.patient)),
                lasts=dice.pick(_SECONDS),
                severity=dice.pick(_SEVERITIES),
                labels=labels,
            )


def _draw_queues(sketch: Sketch, troubled: frozenset[str], labels: dict[str, str], dice: Dice) -> Iterator[AlertRule]:
    """Who works on messages is some minutes behind."""
    ending = dice.pick(_QUEUE_ENDINGS)
    for group in sketch.groups:
        needed = {end.partition("/")[0] for end in find_reached(sketch, [group.route])}
        if dice.chance(_WATCHED) and not needed & troubled:
            yield AlertRule(
                name=_camel(group.name) + ending,
                watches="backlog",
                on=group.name,
                above=climb(SIZES, sketch.get_route(group.route).rate * dice.between(90.0, 300.0)),
                lasts=dice.pick(_SECONDS),
                severity=dice.pick(_SEVERITIES),
                labels=labels,
            )


def _draw_disks(sketch: Sketch, troubled: frozenset[str], labels: dict[str, str], dice: Dice) -> Iterator[AlertRule]:
    above = dice.pick(_DISKS)
    for part in sketch.parts.values():
        if "disk" in part.parameters and dice.chance(_WATCHED) and part.name not in troubled:
            yield AlertRule(
                name=f"{_camel(part.name)}DiskAlmostFull",
                watches="disk",
                on=part.name,
                above=above,
                lasts=300.0,
                severity=dice.pick(_SEVERITIES),
                labels=labels,
            )


def _draw_rule(name: str, journeys: list[JourneySketch], labels: dict[str, str], dice: Dice) -> AlertRule:
    return AlertRule(
        name=name,
        journeys=tuple(journey.name for journey in journeys),
        above=dice.pick(_SHARES),
        lasts=dice.pick(_SECONDS),
        severity=dice.pick(_SEVERITIES),
        labels=labels,
    )


def _draw_labels(sketch: Sketch, dice: Dice) -> dict[str, str]:
    labels = {"env": "prod"}
    if dice.chance(0.6):
        labels["region"] = dice.pick(("eu-central", "eu-west", "us-east", "ap-south"))
    if dice.chance(0.5):
        labels["business"] = sketch.business
    return labels


def _camel(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split("-"))
