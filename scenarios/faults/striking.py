"""Faults: a family that strikes a component of a system, at a time and with a strength."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from scenarios.faults.family import STRENGTHS
from scenarios.faults.library import FAMILIES
from scenarios.world import Change, Release
from scenarios.world.chance import draw_uniform, hash_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenarios.faults.family import FaultFamily, NewRelease, Shift
    from scenarios.world import Component, System


class Fault(BaseModel):
    """A family that strikes a component at a second of the run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: str
    component: str
    strength: Annotated[int, Field(ge=0, lt=STRENGTHS)] = 1
    at: float = Field(ge=0)
    seed: int = 0
    """For what the family leaves open: rivals of one incident share it."""


def list_targets(family: FaultFamily, system: System) -> tuple[str, ...]:
    """The components of a system that a family can strike, in its order."""
    return tuple(component.name for component in system.components if _fits(family, system, component))


def strike(system: System, fault: Fault) -> System:
    """The system with a fault that strikes it.

    Raises:
        KeyError: if there is no such family.
        ValueError: if the family cannot strike the component.
    """
    family = FAMILIES[fault.family]
    if fault.component not in list_targets(family, system):
        raise ValueError(f"{fault.family} does not strike {fault.component!r}")
    changes = [change for number, shift in enumerate(family.shifts) for change in _place(system, fault, number, shift)]
    components = system.components
    if family.release is not None:
        components, change = _add_release(system, fault, family.release)
        changes.append(change)
    return system.model_copy(update={"components": components, "changes": (*system.changes, *changes)})


def _fits(family: FaultFamily, system: System, component: Component) -> bool:
    strikes = family.strikes
    if strikes.kernels and component.kind.kernel not in strikes.kernels:
        return False
    if strikes.software and component.software not in strikes.software:
        return False
    return all(_HAS[need](system, component) for need in strikes.needs)


def _own(end: str, component: Component) -> bool:
    return end.partition("/")[0] == component.name


_HAS: Mapping[str, Callable[[System, Component], bool]] = {
    "callers": lambda system, it: any(_own(call.target, it) for call in system.calls),
    "callees": lambda system, it: any(_own(call.source, it) for call in system.calls),
    "journeys": lambda system, it: any(_own(journey.entry, it) for journey in system.journeys),
    "job": lambda _, it: bool(it.jobs),
    "topic": lambda system, it: any(_own(topic.route, it) for topic in system.topics),
    "group": lambda system, it: any(_own(group.route, it) for group in system.groups),
    "disk": lambda _, it: it.get("disk") > 0,
    "cache": lambda _, it: it.get("hit_ratio") > 0,
    "zones": lambda system, _: len(system.zones) > 1,
}
"""What a component may need to have so that a family can strike it."""


def _place(system: System, fault: Fault, number: int, shift: Shift) -> list[Change]:
    """The changes that a shift comes to: one for each thing that it is of."""
    component = next(each for each in system.components if each.name == fault.component)
    least, most = shift.over
    drawn = float(draw_uniform(hash_names(fault.seed, [fault.component], f"over/{number}"))[0])
    over = 5.0 * int((least + (most - least) * drawn) / 5.0)
    return [
        Change.model_validate(
            {"at": fault.at, "what": shift.what, "target": target, "to": shift.to[fault.strength], "over": over}
        )
        for target in _list_parts(system, component, shift)
    ]


def _list_parts(system: System, component: Component, shift: Shift) -> list[str]:
    zone = component.zones[0] if component.zones else system.zones[0]
    match shift.of:
        case "own":
            return [component.name]
        case "incoming":
            return [f"{call.source} {call.target}" for call in system.calls if _own(call.target, component)]
        case "outgoing":
            return [f"{call.source} {call.target}" for call in system.calls if _own(call.source, component)]
        case "journeys":
            return [journey.name for journey in system.journeys if _own(journey.entry, component)]
        case "topics":
            return [topic.name for topic in system.topics if _own(topic.route, component)]
        case "links":
            return [f"{zone} {other}" for other in system.zones if other != zone]
        case "zone":
            return [zone]


def _add_release(system: System, fault: Fault, new: NewRelease) -> tuple[tuple[Component, ...], Change]:
    """The components, one with a release that it did not have, and the change that rolls it out."""
    strength = fault.strength
    place = next(n for n, each in enumerate(system.components) if each.name == fault.component)
    component = system.components[place]
    key = int(hash_names(fault.seed, [fault.component], "release")[0])
    release = Release(
        version=f"{component.releases[-1].version}.{1 + key % 9}",
        work=new.work[strength],
        errors=new.errors[strength],
        leak=new.leak[strength],
    )
    changed = component.model_copy(update={"releases": (*component.releases, release)})
    components = (*system.components[:place], changed, *system.components[place + 1 :])
    return components, Change(
        at=fault.at, what="release", target=fault.component, to=float(len(component.releases)), by=component.team
    )
