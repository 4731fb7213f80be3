"""What people changed and did no harm with: in the weeks before a run, and in it.

What befalls components in the run is what families do, with the same words, so weakly that no user feels it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scenarios.drawing.sketch import trim
from scenarios.faults import FAMILIES, Fault, list_targets, strike_as
from scenarios.faults.notes import draw_note
from scenarios.faults.quiet import quieten
from scenarios.world import SOFTWARE, Change
from scenarios.world.system import PastChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.drawing.sketch import PartSketch, Sketch
    from scenarios.faults import FaultFamily
    from scenarios.generator.dice import Dice
    from scenarios.world import System

_STRUCK = 0.62
"""The share of components that somebody changes, or that have a small trouble, in a run."""
_NETWORK_STRUCK = 0.85
"""That of routers and resolvers: there are few, and many families strike them."""
_KNOWN = 0.88
"""The share of components of which something is in the change log from before."""
_FIRST = 300
"""Seconds of the run after which that happens: what is normal is seen before."""
_NEAR = 0.65
_AROUND = (-130, 90)
"""So many come in twice these seconds around the onset, most of them close to it; the others before."""
_BUSIEST = 0.74
"""The most that is left of a component's capacity may be used while a rollout is under way."""
_FULLEST = 0.66
"""The most of its capacity that a component with a small trouble uses."""
_OF_SERVERS = ("release", "release", "release", "pattern", "cache", "pool")
_OF_OTHERS: Mapping[str, tuple[str, ...]] = {
    "router": ("network",),
    "resolver": ("zone",),
    "third_party": (),
    "edge": ("edge", "edge", "limit", "policy"),
    "gateway": ("edge", "edge", "limit", "policy"),
    "cache": ("lifetime", "limit", "policy"),
    "queue": ("policy", "secret", "limit"),
}
"""What is set of components, by role; of others access, secrets and limits are."""


def add_history(system: System, sketch: Sketch, dice: Dice) -> System:
    """The system with the changes of the two weeks before its run. What runs is what was deployed last."""
    entries = []
    for component in system.components:
        own = dice.fork("history", component.name)
        if own.chance(_KNOWN):
            entries += _draw_past(system, sketch.parts[component.name], own)
    return system.model_copy(update={"history": tuple(entries)})


def _draw_past(system: System, part: PartSketch, dice: Dice) -> list[PastChange]:
    served = SOFTWARE[part.software].kernel == "server" and part.role != "third_party"
    settings = _OF_OTHERS.get(part.role, ("policy", "secret", "limit"))
    if not (served or settings):
        return []
    seconds = sorted({dice.whole(45 * 60, 14 * 86400) for _ in range(dice.whole(1, 3))})
    versions = _list_versions(part.version, len(seconds))
    revision = dice.whole(100, 999)
    entries = []
    for number, (second, version) in enumerate(zip(seconds, versions, strict=True)):
        deploy = served and (number == 0 or not settings or dice.chance(0.7))
        revision -= dice.whole(1, 9)
        entries.append(
            PastChange(
                component=part.name,
                at=system.begins - timedelta(seconds=second),
                kind="deploy" if deploy else "config",
                version=version if deploy else f"conf r{revision}",
                by=part.team,
                note=draw_note(
                    dice.pick(_OF_SERVERS if deploy else settings), dice.whole(0, 1 << 40), part.name, part.software
                ),
            )
        )
    return entries


def _list_versions(version: str, count: int) -> list[str]:
    """A version and those before it, the latest first."""
    parts = version.split(".")
    if not all(part.isdigit() for part in parts):
        return [version] * count
    head, minor, patch = ".".join(parts[:-2]), int(parts[-2]), int(parts[-1])
    found = []
    for _ in range(count):
        found.append(f"{head}.{minor}.{patch}")
        # What came before the first of a minor version is the last of the one before.
        minor, patch = (minor, patch - 1) if patch else (max(0, minor - 1), 3)
    return found


def add_changes(system: System, sketch: Sketch, onset: int, struck: frozenset[str], dice: Dice) -> System:
    """The system with changes and small troubles in its run that no user feels, many of them around an onset.

    They are those of the families that can strike a component, so that what is guilty is not told by its kind. What is
    `struck` with force has no other, so that it is not told by having two.
    """
    targets = {name: list_targets(family, system) for name, family in FAMILIES.items()}
    network = {system.resolver, *(link.router for link in system.links)}
    for component in system.components:
        own = dice.fork("change", component.name)
        fitting = [name for name, targets in targets.items() if component.name in targets]
        often = _NETWORK_STRUCK if component.name in network else _STRUCK
        if own.chance(often) and fitting and component.name not in struck:
            system = _trouble(system, sketch.parts[component.name], FAMILIES[own.pick(fitting)], onset, own)
    return _add_waves(system, onset, dice.fork("waves"))


def _trouble(system: System, part: PartSketch, family: FaultFamily, onset: int, dice: Dice) -> System:
    """What a family does, so weakly that no user feels it."""
    if family.release is not None and not _withstands(part):
        return system
    fault = Fault(
        family=family.family, component=part.name, at=_draw_time(onset, dice), seed=dice.whole(0, (1 << 40) - 1)
    )
    most_work = max(1.0, _FULLEST / part.load)
    return strike_as(system, fault, quieten(family, dice.between, most_work))


def _draw_time(onset: int, dice: Dice) -> float:
    if dice.chance(_NEAR):
        return float(max(_FIRST, onset + dice.whole(*_AROUND) + dice.whole(*_AROUND)))
    return float(dice.whole(_FIRST, max(_FIRST, onset)))


def _withstands(part: PartSketch) -> bool:
    """Whether a component serves its callers while its instances are replaced one by one."""
    slow_to_warm = SOFTWARE[part.software].parameters["warm_seconds"] > 5.0
    left = part.instances - (3.2 if slow_to_warm else 1.2)
    return left > 0.0 and part.load * part.instances / left <= _BUSIEST


def _add_waves(system: System, onset: int, dice: Dice) -> System:
    """More or fewer users, little by little."""
    changes = []
    for journey in system.journeys:
        if dice.chance(0.3):
            over = float(dice.whole(60, 240) * 5)
            to = trim(dice.between(0.84, 1.14))
            at = _draw_time(onset, dice)
            changes.append(Change(at=at, what="demand", target=journey.name, to=to, over=over))
    return system.model_copy(update={"changes": (*system.changes, *changes)})
