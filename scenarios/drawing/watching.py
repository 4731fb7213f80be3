"""Alert rules as teams have them: for one journey or for some, strict or patient. Their names say what users feel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world import AlertRule

if TYPE_CHECKING:
    from scenarios.drawing.sketch import JourneySketch, Sketch
    from scenarios.generator.dice import Dice

_SHARES = (0.02, 0.03, 0.04, 0.05, 0.05, 0.08, 0.1, 0.1, 0.15, 0.2, 0.25)
_SECONDS = (60.0, 90.0, 120.0, 120.0, 180.0, 240.0, 300.0)
_SEVERITIES = ("critical", "critical", "page", "high", "warning")
_ENDINGS = ("Failing", "FailureRateHigh", "ErrorBudgetBurn", "AvailabilityLow", "SloBreach", "ErrorsHigh")
_GROUPS = ("CoreJourneys", "CustomerJourneys", "MainJourneys", "PublicApi", "Frontdoor")
_ALONE = 0.55
"""How often a journey has a rule of its own."""


def draw_alerts(sketch: Sketch, dice: Dice) -> tuple[AlertRule, ...]:
    """The alert rules of a system. Each journey that is worth something is in one of them at least."""
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
    return tuple(rules)


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
