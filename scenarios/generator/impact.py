"""Impact: what users see of a fault, and how severe that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.generator.render.metrics import journey_failing
from scenarios.vocabulary.severity import MAIN_FAILS, MOST_FAIL, PART_FAILS, TIMES_SLOWER

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


_NONE = 0.025
_UNFELT = 1.6
_BETWEEN = 0.42


def severity(scene: Scene, minute: int) -> Severity | None:
    """The severity by the matrix at a minute; none where reasonable people could differ.

    The thresholds are those of `SEVERITY_MATRIX`. None is given where a share lies below the threshold of a level and
    above what the next level allows: core journeys between 42 % and the P1, anything between 2.5 % (or 1.6 times the
    usual duration) and its own threshold. Internal journeys do not count. What no longer matters is not computed.
    """

    def worst(kind: JourneyClass) -> tuple[float, float]:
        ones = [journey for journey in scene.world.journeys if journey.kind == kind]
        found = [journey_failing(scene, scene.first, journey, minute) for journey in ones]
        return max((one[0] for one in found), default=0.0), max((one[1] for one in found), default=1.0)

    core, core_slower = worst("core")
    if core >= MOST_FAIL:
        return "P1"
    if core > _BETWEEN:
        return None
    major, major_slower = worst("major")
    if core >= PART_FAILS or core_slower >= TIMES_SLOWER or major >= MAIN_FAILS or major_slower >= TIMES_SLOWER:
        return "P2"
    if max(core, major) > _NONE or max(core_slower, major_slower) > _UNFELT:
        return None
    minor, minor_slower = worst("minor")
    if minor >= PART_FAILS or minor_slower >= TIMES_SLOWER:
        return "P3"
    return None if minor > _NONE or minor_slower > _UNFELT else "P4"
