"""Impact: what users see of a fault, and how severe that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.generator.render.metrics import journey_failing

if TYPE_CHECKING:
    from scenarios.generator.library import JourneyClass
    from scenarios.generator.scene import Scene
    from scenarios.generator.world import Journey
    from scenarios.vocabulary import Severity


class Hit(NamedTuple):
    """How a journey fares: the share of it that fails, and how many times longer it takes."""

    journey: Journey
    failing: float
    slower: float


def hits(scene: Scene, minute: int) -> list[Hit]:
    """How every journey fares at a minute, before anything is done."""
    return [Hit(journey, *journey_failing(scene, scene.first, journey, minute)) for journey in scene.world.journeys]


_MOST = 0.5
_PART = 0.06
_SOME = 0.12
_NONE = 0.025
_SLOWER = 3.0
_UNFELT = 1.6
_BETWEEN = 0.42


def severity(scene: Scene, minute: int) -> Severity | None:
    """The severity by the matrix at a minute; none where reasonable people could differ.

    Core: P1 from half of the requests failing, P2 from 6 % or three times the usual duration; main functions: P2 from
    12 % or three times; what can wait: P3 from 5 %; nothing of these: P4. What no longer matters is not computed.
    """

    def worst(kind: JourneyClass) -> tuple[float, float]:
        ones = [journey for journey in scene.world.journeys if journey.kind == kind]
        found = [journey_failing(scene, scene.first, journey, minute) for journey in ones]
        return max((one[0] for one in found), default=0.0), max((one[1] for one in found), default=1.0)

    core, core_slower = worst("core")
    if core >= _MOST:
        return "P1"
    if core > _BETWEEN:
        return None
    major, major_slower = worst("major")
    if core >= _PART or core_slower >= _SLOWER or major >= _SOME or major_slower >= _SLOWER:
        return "P2"
    if max(core, major) > _NONE or max(core_slower, major_slower) > _UNFELT:
        return None
    minor, minor_slower = worst("minor")
    if minor >= _PART or minor_slower >= _SLOWER:
        return "P3"
    return None if minor > _NONE or minor_slower > _UNFELT else "P4"
