"""Placing a fault: which node of a world it strikes, whom it reaches, with which numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from scenarios.generator.fault import Fault, Setback, Stage
from scenarios.generator.library import kinds
from scenarios.generator.simulate import SERVING
from scenarios.library import load_runbook_catalogue
from scenarios.progress import PlanStep

if TYPE_CHECKING:
    from scenarios.generator.dice import Dice
    from scenarios.generator.family import Family, Spread
    from scenarios.generator.library import JourneyClass
    from scenarios.generator.world import Journey, World
    from scenarios.vocabulary import Severity

FITTING: dict[Severity, frozenset[JourneyClass]] = {
    "P1": frozenset({"core"}),
    "P2": frozenset({"core", "major"}),
    "P3": frozenset({"minor"}),
    "P4": frozenset({"internal"}),
}
"""The classes of journeys of which the gravest that fails makes a severity possible."""
Fits = Callable[[int], bool]
"""Whether what fails with a node is of the wanted severity."""

Place = tuple[int, tuple[int, ...]]
"""A root and the nodes under strain."""

_RANK: tuple[JourneyClass, ...] = ("core", "major", "minor", "internal")
_MOST_HOLDERS = 5
_MOST_STUCK = 2
OWN_TROUBLES = frozenset({"errors", "crash", "late"})
"""Troubles of what a node does itself; in all others it is a call of its that fails."""
BLAMING_SPREADS = frozenset({"subscribers", "tenants"})


def gravest(world: World, focal: int, *, late: bool = False) -> JourneyClass | None:
    """The gravest class of journey that fails with a node; with `late`, that waits for the work behind it."""
    if late:
        workers = {call.caller for call in world.callers[focal]} | {focal}
        working = [one for one in world.journeys if world.nodes[one.entry].kind == "worker"]
        served = {one.kind for one in working if one.entry in workers}
    else:
        served = {one.kind for one in world.journeys if _fails_with(world, one, focal)}

    return next((kind for kind in _RANK if kind in served), None)


def _fails_with(world: World, journey: Journey, focal: int) -> bool:
    """Whether a journey needs a node: at its entry and beneath, or at a door and what the door itself depends on."""
    above = world.hard_above[focal]
    if above >> journey.entry & 1:
        return True
    for door in world.doors_of(journey):
        if door == focal:
            return True
        for call in world.calls[door]:
            own = not call.platform and world.nodes[call.callee].kind not in SERVING
            if own and above >> call.callee & 1:
                return True
    return False


def places(world: World, family: Family, severity: Severity) -> list[Place]:
    """Where a family can strike so that the severity is within reach: roots, each with the nodes under strain.

    Where the root hands something out, the nodes are all who may have got it.
    """
    fitting = FITTING[severity]

    def fits(index: int) -> bool:
        return gravest(world, index, late=family.trouble == "late") in fitting

    found: list[Place] = []
    for root in world.of_kinds(family.strikes.kinds):
        found += _PLACES[family.spread](world, family, root, fits)
    return found


def _at_callers(world: World, family: Family, root: int, fits: Fits) -> Iterator[Place]:
    called = any(not call.platform and call.hard for call in world.callers[root])
    if fits(root) and (called or (family.trouble == "late" and world.nodes[root].kind == "worker")):
        yield root, (root,)


def _at_neighbours(world: World, family: Family, root: int, fits: Fits) -> Iterator[Place]:
    for call in world.calls[root]:
        shared = not call.platform and world.nodes[call.callee].kind in family.strikes.through
        others = any(not one.platform and one.caller != root for one in world.callers[call.callee])
        if shared and others and fits(call.callee):
            yield root, (call.callee,)


def _at_holders(world: World, family: Family, root: int, fits: Fits) -> Iterator[Place]:
    holders = [
        one
        for one in world.platform_holders(root, family.strikes.victims)
        if fits(one) and (family.trouble in OWN_TROUBLES or blamable(world, family, one))
    ]
    if holders:
        yield root, tuple(holders)


def _at_alert(_world: World, _family: Family, root: int, _fits: Fits) -> Iterator[Place]:
    yield root, (root,)


_PLACES: dict[Spread, Callable[[World, Family, int, Fits], Iterator[Place]]] = {
    "callers": _at_callers,
    "neighbours": _at_neighbours,
    "subscribers": _at_holders,
    "tenants": _at_holders,
    "alert": _at_alert,
}


def blamable(world: World, family: Family, index: int) -> list[int]:
    """The callees whose calls can fail because of what a node holds or where it runs."""
    into = family.strikes.into
    return [
        call.callee
        for call in world.calls[index]
        if not call.platform and call.hard and (not into or world.nodes[call.callee].kind in into)
    ]


def place(world: World, family: Family, site: Place, severity: Severity, now: int, dice: Dice) -> Fault:
    """A fault of a family at a place of a world, with numbers drawn for a severity."""
    root, focal = site
    blames: dict[int, int] = {}
    stuck: tuple[int, ...] = ()
    if family.spread in BLAMING_SPREADS:
        most = _MOST_HOLDERS if severity != "P1" else 9
        focal = tuple(dice.sample(focal, dice.whole(min(2, len(focal)), min(most, len(focal)))))
        if family.trouble not in OWN_TROUBLES:
            blames = {index: dice.pick(blamable(world, family, index)) for index in focal}
        if any("{stuck}" in step for stage in family.plan for step in stage.do):
            stuck = tuple(dice.sample(focal, dice.whole(1, _MOST_STUCK)))
    low_end, high_end = _STRENGTH.get(severity, (0.0, 1.0))
    numbers = {
        name: low + (most - low) * dice.between(low_end, high_end) if name in _GRAVE else dice.between(low, most)
        for name, (low, most) in family.numbers.items()
    }
    while family.spread == "alert" and now // numbers["flaps"] % 2:
        now += 1
    victims = [
        call.caller
        for index in focal
        for call in world.callers[index]
        if not call.platform and call.caller != root and world.nodes[call.caller].kind in _RESTARTED
    ]
    if family.spread in BLAMING_SPREADS:
        victims = [index for index in focal if index not in stuck] or list(focal)
    return Fault(
        family=family,
        root=root,
        focal=focal,
        blames=blames,
        stuck=stuck,
        victim=dice.pick(victims) if victims else root,
        numbers=numbers,
        now=now,
        flag=family.flag,
    )


_RESTARTED = frozenset({"service", "worker", "gateway"})
_STRENGTH: dict[Severity, tuple[float, float]] = {"P1": (0.45, 1.0), "P2": (0.0, 0.75)}
"""Which part of the range of a fault's numbers a severity takes."""
_GRAVE = frozenset({"share", "factor", "load", "lost"})


LAST_CHECKS = ("verify_api_recovery", "verify_alert_state")
"""What is verified in the end, whatever failed: the journeys, and that the alert has cleared."""
_CHECKS_AFTER = {1: 4, 2: 2, 3: 2}
"""How many verifications follow one repair, two, and more."""


def stages_of(world: World, fault: Fault) -> tuple[Stage, ...]:
    """The plan of a fault's family on the nodes of a world: its repairs, then verifications from the bottom up.

    The last of them are the same for all. There are four stages at least, five where a single repair does it: who takes
    a plan backwards gets no further than its first stage, and that is to be worth little.
    """
    repairs: list[Stage] = []
    checks: list[str] = []
    for stage in fault.family.plan:
        steps = [step for text in stage.do for step in _steps(world, fault, text)]
        if stage.leaves is None:
            checks += [step.target for step in steps]
        else:
            repairs.append(Stage(tuple(dict.fromkeys(steps)), stage.leaves))
    lacking = max(0, _CHECKS_AFTER[min(len(repairs), 3)] - len({*checks, *LAST_CHECKS}))
    first = [one for one in kinds()[world.nodes[fault.root].kind].checks if one not in checks][:lacking]
    ordered = dict.fromkeys([*first, *(one for one in checks if one not in LAST_CHECKS), *LAST_CHECKS])
    return (*repairs, *(Stage((PlanStep("execute_runbook_step", one, verify=True),), None) for one in ordered))


def setbacks_of(world: World, fault: Fault, stages: tuple[Stage, ...]) -> tuple[Setback, ...]:
    """The tempting moves of a fault's family on the nodes of a world, those that the plan itself makes aside."""
    planned = {step.step for stage in stages for step in stage.steps}
    found: dict[str, Setback] = {}
    for number, tempting in enumerate(fault.family.tempting):
        for step in _steps(world, fault, tempting.do):
            if step.step not in planned:
                target = world.index.get(step.target)
                found.setdefault(step.step, Setback(f"setback_{number}", step.step, target, tempting))
    return tuple(found.values())


def _steps(world: World, fault: Fault, text: str) -> list[PlanStep]:
    action, target, *more = text.split()
    targets = {
        "{root}": [fault.root],
        "{focal}": [fault.focal[0]],
        "{victim}": [fault.victim],
        "{stuck}": list(fault.stuck),
    }.get(target)
    if targets is None:
        name = fault.flag if target == "{flag}" else target
        entry = load_runbook_catalogue().get(name) if action == "execute_runbook_step" else None
        return [PlanStep(action, name, verify=entry is not None and entry.verify)]
    replicas: tuple[int, int] | None = None
    if more:
        low, _, high = more[0].removeprefix("+").partition("..")
        size = world.nodes[targets[0]].replicas
        replicas = (size + int(low), size + int(high))
    return [PlanStep(action, world.nodes[index].name, replicas=replicas) for index in targets]
