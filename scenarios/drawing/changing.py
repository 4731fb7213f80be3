"""What people changed and did no harm with: in the weeks before a run, and in it.

Changes in the run are of the kinds of those that are faults, with the same words, and befall any component.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scenarios.drawing.sketch import trim
from scenarios.faults import FAMILIES
from scenarios.faults.notes import draw_note
from scenarios.faults.striking import name_next_version
from scenarios.world import SOFTWARE, Change, Job, Release
from scenarios.world.system import PastChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.drawing.sketch import PartSketch, Sketch
    from scenarios.faults import FaultFamily
    from scenarios.generator.dice import Dice
    from scenarios.world import Component, System

_CHANGED = 0.16
"""The share of components that somebody changes in a run."""
_KNOWN = 0.88
"""The share of components of which something is in the change log from before."""
_FIRST, _LAST = 300, 1560
"""Seconds of the run between which that happens: what is normal is seen before."""
_BUSIEST = 0.78
"""The most that is left of a component's capacity may be used while a rollout is under way."""
_OF_SERVERS = ("release", "release", "release", "pattern", "cache", "pool", "policy")
_OF_OTHERS = ("policy", "secret", "network", "edge")


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
    minutes = sorted({dice.whole(45, 14 * 1440) for _ in range(dice.whole(1, 3))})
    versions = _list_versions(part.version, len(minutes))
    entries = []
    for number, (minute, version) in enumerate(zip(minutes, versions, strict=True)):
        deploy = served and (number == 0 or dice.chance(0.7))
        kind = dice.pick(_OF_SERVERS[:6] if deploy else _OF_OTHERS)
        entries.append(
            PastChange(
                component=part.name,
                at=system.begins - timedelta(minutes=minute),
                kind="deploy" if deploy else "config",
                version=version if deploy else f"conf r{dice.whole(100, 999)}",
                by=part.team,
                note=draw_note(kind, dice.whole(0, 1 << 40), part.name),
            )
        )
    return entries


def _list_versions(version: str, count: int) -> list[str]:
    """A version and those before it, as far as its last number goes back."""
    head, _, last = version.rpartition(".")
    if not head or not last.isdigit():
        return [version] * count
    return [f"{head}.{max(0, int(last) - back)}" for back in range(count)]


def add_changes(system: System, sketch: Sketch, targets: Mapping[str, tuple[str, ...]], dice: Dice) -> System:
    """The system with changes in its run that do no harm. `targets` are what each family can strike."""
    kinds = {name: targets[name] for name, family in FAMILIES.items() if family.entry}
    for component in system.components:
        own = dice.fork("change", component.name)
        fitting = [name for name, targets in kinds.items() if component.name in targets]
        if own.chance(_CHANGED) and fitting:
            system = _change(system, sketch.parts[component.name], FAMILIES[own.pick(fitting)], own)
    return _add_waves(system, dice.fork("waves"))


def _change(system: System, part: PartSketch, family: FaultFamily, dice: Dice) -> System:
    """A change as a family makes it, without its harm."""
    place = next(n for n, each in enumerate(system.components) if each.name == part.name)
    component = system.components[place]
    at = float(dice.whole(_FIRST, _LAST))
    note = draw_note(family.entry, dice.whole(0, 1 << 40), part.name)
    if family.release is not None and _withstands(part):
        release = Release(
            version=name_next_version(component.releases[-1].version, dice.whole(0, 1 << 40)),
            work=trim(dice.between(0.95, 1.05)),
        )
        component = component.model_copy(update={"releases": (*component.releases, release)})
        number = float(len(component.releases) - 1)
        change = Change(at=at, what="release", target=part.name, to=number, by=part.team, note=note)
    elif family.job is not None:
        component, change = _add_job(system, component, family.job.names, at, note, dice)
    elif family.release is None:
        change = Change(at=at, what="shed", target=part.name, to=0.0, by=part.team, note=note)
    else:
        return system
    components = (*system.components[:place], component, *system.components[place + 1 :])
    return system.model_copy(update={"components": components, "changes": (*system.changes, change)})


def _add_job(
    system: System, component: Component, names: tuple[str, ...], at: float, note: str, dice: Dice
) -> tuple[Component, Change]:
    name = dice.pick(names)
    flag = f"{name.replace('-', '_')}_enabled"
    stores = {each.name for each in system.components if each.kind.kernel == "store" and each.get("hit_ratio") <= 0.0}
    called = [call.target.partition("/")[0] for call in system.calls if call.source.startswith(f"{component.name}/")]
    job = Job(
        name=name,
        store=dice.pick([each for each in dict.fromkeys(called) if each in stores]),
        flag=flag,
        every=3600.0,
        first=at + 60.0 * dice.whole(1, 5),
        lasts=float(dice.whole(60, 480) * 5),
        slow=trim(dice.between(1.01, 1.06)),
        memory_rate=trim(dice.between(0.05, 0.6)),
    )
    if flag not in component.flags:
        component = component.model_copy(update={"jobs": (*component.jobs, job), "flags": (*component.flags, flag)})
    return component, Change(at=at, what="flag", target=flag, to=1.0, by=component.team, note=note)


def _withstands(part: PartSketch) -> bool:
    """Whether a component serves its callers while its instances are replaced one by one."""
    slow_to_warm = SOFTWARE[part.software].parameters["warm_seconds"] > 5.0
    left = part.instances - (3.2 if slow_to_warm else 1.2)
    return left > 0.0 and part.load * part.instances / left <= _BUSIEST


def _add_waves(system: System, dice: Dice) -> System:
    """More or fewer users, little by little."""
    changes = []
    for journey in system.journeys:
        if dice.chance(0.3):
            over = float(dice.whole(60, 240) * 5)
            to = trim(dice.between(0.84, 1.14))
            at = float(dice.whole(_FIRST, _LAST))
            changes.append(Change(at=at, what="demand", target=journey.name, to=to, over=over))
    return system.model_copy(update={"changes": (*system.changes, *changes)})
