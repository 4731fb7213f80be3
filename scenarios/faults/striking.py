"""Faults: a family that strikes a component of a system, at a time and with a strength."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from scenarios.faults.family import STRENGTHS
from scenarios.faults.library import FAMILIES
from scenarios.faults.notes import draw_note
from scenarios.world import Change, Feature, Job, Release
from scenarios.world.chance import draw_uniform, hash_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from scenarios.faults.family import FaultFamily, NewFeature, NewJob, NewRelease, Shift
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
    names = [component.name for component in system.components if _is_kind(family, component)]
    for need in family.strikes.needs if names else ():
        having = _HAVING[need](system)
        names = [name for name in names if name in having]
    return tuple(names)


def strike(system: System, fault: Fault) -> System:
    """The system with a fault that strikes it.

    Raises:
        KeyError: if there is no such family.
        ValueError: if the family cannot strike the component.
    """
    return strike_as(system, fault, FAMILIES[fault.family])


def strike_as(system: System, fault: Fault, family: FaultFamily) -> System:
    """The system with a fault that strikes it as a family does, whichever the fault names.

    What has a note and no effect stands in the change log all the same.

    Raises:
        ValueError: if the family cannot strike the component.
    """
    if fault.component not in list_targets(family, system):
        raise ValueError(f"{family.family} does not strike {fault.component!r}")
    changes = [change for number, shift in enumerate(family.shifts) for change in _place(system, fault, number, shift)]
    component, place = find_component(system, fault.component)
    note = draw_note(family.entry, fault.seed, fault.component, component.software) if family.entry else ""
    if family.release is not None:
        component, change = _add_release(component, fault, family.release)
        changes.insert(0, change.model_copy(update={"note": note}))
    elif family.feature is not None:
        component, change = _add_feature(component, fault, family.feature)
        changes.insert(0, change.model_copy(update={"note": note}))
    elif family.job is not None:
        component, change = _add_job(system, component, fault, family.job)
        changes.append(change.model_copy(update={"note": note}))
    elif note:
        if not changes or changes[0].at > fault.at:
            # It is written down when it is made, whatever comes of it later.
            changes.insert(0, Change(at=fault.at, what="shed", target=component.name, to=0.0))
        changes[0] = changes[0].model_copy(update={"by": component.team, "note": note})
    components = (*system.components[:place], component, *system.components[place + 1 :])
    return system.model_copy(update={"components": components, "changes": (*system.changes, *changes)})


def find_component(system: System, name: str) -> tuple[Component, int]:
    """A component of a system by its name, and its place.

    Raises:
        ValueError: if there is none.
    """
    names = [component.name for component in system.components]
    place = names.index(name)
    return system.components[place], place


def _is_kind(family: FaultFamily, component: Component) -> bool:
    strikes = family.strikes
    if strikes.kernels and component.kind.kernel not in strikes.kernels:
        return False
    if strikes.software and component.software not in strikes.software:
        return False
    return component.software not in _OF_OTHERS or component.software in strikes.software


_OF_OTHERS = ("third-party",)
"""Software that nobody here releases or sets: only what is said to strike it does."""


def _find_owner(end: str) -> str:
    return end.partition("/")[0]


def _own(end: str, component: Component) -> bool:
    return _find_owner(end) == component.name


# Each is asked once for all components of a system: to draw one asks for the targets of every family.
_HAVING: Mapping[str, Callable[[System], Collection[str | None]]] = {
    "callers": lambda system: {_find_owner(call.target) for call in system.calls},
    "callees": lambda system: {
        _find_owner(call.source) for call in system.calls if not call.optional and call.on_miss is None
    },
    "journeys": lambda system: {_find_owner(journey.entry) for journey in system.journeys},
    "stores": lambda system: _find_callers(system, _list_all_stores(system)),
    "clients": lambda system: {_find_owner(each.entry) for each in system.journeys if each.worth == 0.0},
    "checks": lambda system: [it.name for it in system.components if _list_checks(system, it)],
    "caches": lambda system: _find_callers(system, _list_all_asked(system)),
    "brokers": lambda system: _find_sources(system, _list_awaited(system)),
    "topics": lambda system: [it.name for it in system.components if _list_topics(system, it)],
    "consumes": lambda system: _find_consumers(system, {each.awaits for each in system.journeys}),
    "members": lambda system: [it.name for it in system.components if it.instances > 2],
    "names": lambda system: {system.resolver},
    "disk": lambda system: [it.name for it in system.components if it.get("disk") > 0],
    "cache": lambda system: [it.name for it in system.components if it.get("hit_ratio") > 0],
    "links": lambda system: {link.router for link in system.links},
}
"""What a component may need to have so that a family can strike it: those of a system that have it."""


def _find_callers(system: System, called: Collection[str]) -> set[str]:
    """The components that call some of others."""
    return {_find_owner(call.source) for call in system.calls if _find_owner(call.target) in called}


def _find_sources(system: System, routes: Collection[str]) -> set[str]:
    """The components that call some routes."""
    return {_find_owner(call.source) for call in system.calls if call.target in routes}


def _find_consumers(system: System, awaited: Collection[str | None]) -> set[str]:
    """The components that work on the messages of some groups."""
    return {_find_owner(group.route) for group in system.groups if group.name in awaited}


def _list_all_stores(system: System) -> set[str]:
    """All stores; what is a cache keeps nothing that a job could work on."""
    return {each.name for each in system.components if each.kind.kernel == "store" and each.get("hit_ratio") <= 0.0}


def _list_all_asked(system: System) -> set[str]:
    """All caches behind which there is something to ask."""
    return {call.on_miss for call in system.calls if call.on_miss is not None}


def _list_stores(system: System, component: Component) -> list[str]:
    """The stores that a component calls."""
    stores = _list_all_stores(system)
    called = [_find_owner(call.target) for call in system.calls if _own(call.source, component)]
    return [name for name in dict.fromkeys(called) if name in stores]


def _list_caches(system: System, component: Component) -> list[str]:
    """The caches that a component calls, behind which there is something to ask."""
    asked = _list_all_asked(system)
    called = [_find_owner(call.target) for call in system.calls if _own(call.source, component)]
    return [name for name in dict.fromkeys(called) if name in asked]


def _list_checks(system: System, component: Component) -> list[str]:
    """The journeys that nobody takes but a rule watches, with an entry of their own at a component."""
    watched = {name for rule in system.alerts for name in rule.journeys}
    entries = [each.entry for each in system.journeys]
    return [
        each.name
        for each in system.journeys
        if _own(each.entry, component) and not each.worth and each.name in watched and entries.count(each.entry) == 1
    ]


def _list_awaited(system: System) -> list[str]:
    """The routes of the topics whose messages users await."""
    awaited = {each.awaits for each in system.journeys}
    topics = {group.topic for group in system.groups if group.name in awaited}
    return [topic.route for topic in system.topics if topic.name in topics]


def _list_topics(system: System, component: Component) -> list[str]:
    """The topics of a component whose messages users await."""
    awaited = _list_awaited(system)
    return [topic.name for topic in system.topics if _own(topic.route, component) and topic.route in awaited]


def _place(system: System, fault: Fault, number: int, shift: Shift) -> list[Change]:
    """The changes that a shift comes to: one for each thing that it is of."""
    component = find_component(system, fault.component)[0]
    over = _draw_seconds(fault, f"over/{number}", shift.over)
    at = fault.at + _draw_seconds(fault, f"after/{number}", shift.after)
    ends = [(at, shift.to[fault.strength], over), (at + shift.lasts, shift.back, 0.0)][: 2 if shift.lasts else 1]
    return [
        Change.model_validate({"at": begin, "what": shift.what, "target": target, "to": to, "over": seconds})
        for target in _list_parts(system, component, shift, fault.seed)
        for begin, to, seconds in ends
    ]


def _draw_seconds(fault: Fault, purpose: str, between: tuple[float, float]) -> float:
    """Whole steps between two numbers of seconds."""
    least, most = between
    drawn = float(draw_uniform(hash_names(fault.seed, [fault.component], purpose))[0])
    return 5.0 * int((least + (most - least) * drawn) / 5.0)


def _list_parts(system: System, component: Component, shift: Shift, seed: int) -> list[str]:
    """What of a system a shift changes, by the names that changes have for it."""
    if shift.of in ("incoming", "one incoming", "one callee", "outgoing"):
        return _list_calls(system, component, shift, seed)
    match shift.of:
        case "journeys":
            return [each.name for each in system.journeys if _own(each.entry, component)]
        case "clients":
            return [each.name for each in system.journeys if _own(each.entry, component) and each.worth == 0.0]
        case "checks":
            return _list_checks(system, component)
        case "topics":
            return _list_topics(system, component)
        case "links":
            return [f"{link.between[0]} {link.between[1]}" for link in system.links if link.router == component.name]
        case _:
            return [component.name]


def _list_calls(system: System, component: Component, shift: Shift, seed: int) -> list[str]:
    """The calls of a shift, or the one component that is called."""
    if shift.of == "one callee":
        needed = [call for call in system.calls if _own(call.source, component) and not call.optional]
        called = [call.target.partition("/")[0] for call in needed if call.on_miss is None]
        return [called[int(hash_names(seed, [component.name], "callee")[0]) % len(called)]]
    if shift.of == "outgoing":
        return [f"{call.source} {call.target}" for call in system.calls if _own(call.source, component)]
    incoming = [f"{call.source} {call.target}" for call in system.calls if _own(call.target, component)]
    if shift.of == "one incoming":
        return [incoming[int(hash_names(seed, [component.name], "caller")[0]) % len(incoming)]]
    return incoming


def _add_feature(component: Component, fault: Fault, new: NewFeature) -> tuple[Component, Change]:
    """The component with code behind a flag, and the change that switches it on."""
    name = new.names[int(hash_names(fault.seed, [component.name], "feature")[0]) % len(new.names)]
    feature = Feature(flag=name, work=new.work[fault.strength], errors=new.errors[fault.strength])
    changed = component.model_copy(
        update={"features": (*component.features, feature), "flags": (*component.flags, name)}
    )
    return changed, Change(at=fault.at, what="flag", target=name, to=1.0, by=component.team)


def _add_release(component: Component, fault: Fault, new: NewRelease) -> tuple[Component, Change]:
    """The component with a release that it did not have, and the change that rolls it out."""
    strength = fault.strength
    release = Release(
        version=name_next_version(component.releases[-1].version, fault.seed),
        work=new.work[strength],
        errors=new.errors[strength],
        leak=_find_leak(component, new.fills[strength]),
        slots=new.slots[strength],
        keeps=new.keeps[strength],
        sends=new.sends[strength],
        attempts=new.attempts[strength],
    )
    changed = component.model_copy(update={"releases": (*component.releases, release)})
    number = float(len(component.releases))
    return changed, Change(at=fault.at, what="release", target=component.name, to=number, by=component.team)


def _find_leak(component: Component, fills: float) -> float:
    """MB a second with which the memory of an instance is full in so many seconds."""
    if fills == 0.0:
        return 0.0
    return max(1.0, component.get("memory") - component.get("base_memory")) / fills


def name_next_version(version: str, seed: int) -> str:
    """The version that comes after another: its last number, or the one before it, is one higher."""
    head, dot, last = version.rpartition(".")
    before, second, middle = head.rpartition(".")
    if second and middle.isdigit() and int(hash_names(seed, [version], "version")[0]) % 2:
        return f"{before}.{int(middle) + 1}.0"
    return f"{head}{dot}{int(last) + 1}" if last.isdigit() else f"{version}-2"


def _add_job(system: System, component: Component, fault: Fault, new: NewJob) -> tuple[Component, Change]:
    """The component with a job, and the change of its flag, some minutes before the first run."""
    find = _list_caches if new.on == "caches" else _list_stores
    stores, strength = find(system, component), fault.strength
    key = int(hash_names(fault.seed, [component.name], "job")[0])
    name = new.names[key % len(new.names)]
    flag = f"{name.replace('-', '_')}_enabled"
    job = Job(
        name=name,
        store=stores[key // 64 % len(stores)],
        flag=flag,
        every=3600.0,
        first=fault.at,
        lasts=new.lasts,
        slow=new.slow[strength],
        memory_rate=new.memory_rate[strength],
        sessions=new.sessions[strength],
        evicts=new.evicts[strength],
    )
    changed = component.model_copy(update={"jobs": (*component.jobs, job), "flags": (*component.flags, flag)})
    before = max(0.0, fault.at - 60.0 * (1 + key // 4096 % 5))
    return changed, Change(at=before, what="flag", target=flag, to=1.0, by=component.team)
