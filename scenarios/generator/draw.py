"""Drawing incidents: from a seed and a difficulty to an incident that is proved fit to serve.

A draw that fails a proof is drawn again, from the next attempt of the same seed.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from scenarios.generator.admission import findings
from scenarios.generator.alert import draw_alert, summary_of
from scenarios.generator.background import Background, draw_background
from scenarios.generator.dice import Dice
from scenarios.generator.impact import severity
from scenarios.generator.incident import GeneratedIncident
from scenarios.generator.library import archetypes, families, generator_digest
from scenarios.generator.naming import GENERATOR_VERSION, OUT_OF_DISTRIBUTION, region_of
from scenarios.generator.place import FITTING, Place, place, places, setbacks_of, stages_of
from scenarios.generator.render.paths import LATE, flows_of
from scenarios.generator.scene import Scene, calendar
from scenarios.generator.simulate import DOORS, RED, SLOW
from scenarios.generator.topology import draw_world
from scenarios.library import digest_library
from scenarios.vocabulary import SEVERITIES, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.generator.family import Family, Spread
    from scenarios.generator.library import Archetype
    from scenarios.generator.world import World
    from scenarios.vocabulary import TaskId

DISTANCE = {1: (1, 1), 2: (1, 2), 3: (2, 2), 4: (3, 3), 5: (4, 4)}
"""Calls from the paging service to the first that meets the fault, by difficulty, from and to, as far as the world has
them."""

FEWEST_NODES, MOST_NODES = 8, 40
LOOKS_FOR_DEPTH = {1: 1, 2: 2, 3: 2, 4: 4, 5: 6}
"""Of how many places the one is taken that most calls lead to, by difficulty."""
MOST_WORLDS = 300
_PLACEMENTS = 5
"""Attempts in one world."""
_APART = 6
"""One in so many combinations of family and archetype is kept for `test-ood`."""
_PATIENCE = 2
"""Worlds with one family before the next is tried."""
SUBTLETY: dict[Spread, tuple[float, float, float, float, float]] = {
    "callers": (1.0, 0.9, 0.75, 0.6, 0.45),
    "neighbours": (0.5, 0.7, 0.9, 1.1, 1.3),
    "subscribers": (0.6, 0.7, 0.8, 0.9, 1.0),
    "tenants": (0.05, 0.55, 0.8, 1.2, 2.2),
    "alert": (1.0, 1.0, 1.0, 1.0, 1.0),
}
"""How readily a family is drawn, by how it spreads, for difficulties 1 to 5: quiet causes more where it is hard."""
_ALARMS_AMONG_P4 = 0.4
_FEWEST_MINUTES = 4
"""Between the alert and the first look at the least."""
_NOTHING = Background({}, {}, {}, frozenset(), frozenset(), frozenset(), {})


class ExhaustedError(RuntimeError):
    """No attempt of a seed passed its proofs. None is known that does this."""


def generated(seed: int, difficulty: int, *, incident_id: str, scenario_ids: Mapping[TaskId, str]) -> GeneratedIncident:
    """The incident of a seed (0 or more) and a difficulty (1 to 5), the same on every machine.

    Raises:
        ExhaustedError: if no attempt passes.
    """
    wanted = Dice(GENERATOR_VERSION, seed, difficulty, "severity").pick(SEVERITIES)
    suspects = _families(wanted, difficulty, Dice(GENERATOR_VERSION, seed, difficulty, "family"))
    for attempt in range(MOST_WORLDS):
        family = suspects[attempt // _PATIENCE % len(suspects)]
        dice = Dice(GENERATOR_VERSION, seed, difficulty, attempt)
        world = _world(family, difficulty, wanted, dice, apart=region_of(seed) == OUT_OF_DISTRIBUTION)
        if world is None:
            continue
        sites = places(world, family, wanted)
        for placement in range(_PLACEMENTS if sites else 0):
            scene = _scene(world, family, sites, difficulty, wanted, dice.fork("placement", placement))
            if scene is None:
                continue
            incident = GeneratedIncident(
                scene,
                incident_id=incident_id,
                scenario_ids=scenario_ids,
                digest=_digest(seed, difficulty),
                severity=wanted,
                alert=draw_alert(scene, _suffering(scene), difficulty, dice.fork("alert", placement)),
                summary=summary_of(scene, difficulty),
            )
            if not findings(incident):
                return incident
            break  # what is found lies in the shape of this world or in the family; other numbers seldom help
    raise ExhaustedError(f"no incident of seed {seed} at difficulty {difficulty} passed its proofs")


def _digest(seed: int, difficulty: int) -> str:
    parts = (GENERATOR_VERSION, generator_digest(), digest_library(), str(seed), str(difficulty))
    return hashlib.sha256(":".join(parts).encode()).hexdigest()


def kept_apart(family: Family, archetype: Archetype) -> bool:
    """Whether a combination of fault and line of business occurs in `test-ood` and nowhere else."""
    text = f"{family.family}:{archetype.archetype}"
    return hashlib.sha256(text.encode()).digest()[0] % _APART == 0


def _world(family: Family, difficulty: int, wanted: Severity, dice: Dice, *, apart: bool) -> World | None:
    """A world for a family; none if the split has no line of business for it, or the world came out too large."""
    fitting = [one for one in archetypes() if kept_apart(family, one) == apart]
    if not fitting:
        return None
    needed = (dice.pick(family.strikes.kinds), *family.strikes.through[:1])
    world = draw_world(dice.pick(fitting), difficulty, needed, FITTING[wanted], dice.fork("world"))
    return world if FEWEST_NODES <= len(world.nodes) <= MOST_NODES else None


def _families(wanted: Severity, difficulty: int, dice: Dice) -> list[Family]:
    """The families of an incident, in the order in which they are tried."""
    alarm = wanted == "P4" and dice.chance(_ALARMS_AMONG_P4)
    keys = {
        name: dice.random() ** (1 / SUBTLETY[one.spread][difficulty - 1])
        for name, one in families().items()
        if (one.spread == "alert") == alarm
    }
    return [families()[name] for name in sorted(keys, key=lambda name: -keys[name])]


def _scene(
    world: World, family: Family, sites: list[Place], difficulty: int, wanted: Severity, dice: Dice
) -> Scene | None:
    """A scene of a severity in a world; none where the fault hits harder or softer, or nobody would be paged."""
    fault = place(world, family, _site(world, sites, difficulty, dice), wanted, dice.whole(14, 34), dice.fork("fault"))
    stages = stages_of(world, fault)
    bare = Scene(
        world=world,
        fault=fault,
        stages=stages,
        setbacks=setbacks_of(world, fault, stages),
        background=_NOTHING,
        paged=fault.root,
        onset=calendar(dice.whole(0, 300), dice.whole(0, 1439)),
        fired=fault.now,
        key=dice.whole(0, (1 << 52) - 1),
    )
    if severity(bare, fault.now) != wanted:
        return None
    paged = _paged(bare, difficulty, dice)
    fired = _fires(bare, paged, dice) if paged is not None else None
    if paged is None or fired is None:
        return None
    background = draw_background(world, fault, bare.touched, paged, fired, difficulty, dice.fork("background"))
    return replace(bare, background=background, paged=paged, fired=fired)


def _site(world: World, sites: list[Place], difficulty: int, dice: Dice) -> Place:
    """One of the places: of several drawn the deepest, where that makes it harder."""
    return max(
        dice.sample(sites, LOOKS_FOR_DEPTH[difficulty]), key=lambda site: max(world.depths[one] for one in site[1])
    )


def _fires(scene: Scene, paged: int, dice: Dice) -> int | None:
    """The minute in which the alert fires: some minutes after the paging node began to suffer."""
    held = dice.whole(2, 4)
    if scene.fault.family.spread == "alert":
        return held
    first = next((minute for minute in range(scene.fault.now) if suffers(scene, paged, minute)), scene.fault.now)
    return first + held if first + held <= scene.fault.now - _FEWEST_MINUTES else None


def _paged(scene: Scene, difficulty: int, dice: Dice) -> int | None:
    """The node that pages: one that suffers, as far from the fault as the difficulty asks."""
    world, fault = scene.world, scene.fault
    if fault.family.spread == "alert":
        near = [call.caller for call in world.callers[fault.root] if world.nodes[call.caller].kind in _PAGING]
        doors = [journey.entry for journey in world.journeys if world.nodes[journey.entry].kind == "service"]
        found = near or (doors if world.nodes[fault.root].kind == "monitor" else [])
        return dice.pick(found) if found else None
    away = _distances(scene)
    options = {index: far for index, far in away.items() if index != fault.root and index != fault.shared}
    if not options:
        return None
    wanted = dice.whole(*DISTANCE[difficulty])
    best = min(abs(far - wanted) for far in options.values())
    return dice.pick(sorted(index for index, far in options.items() if abs(far - wanted) == best))


_PAGING = frozenset({"service", "gateway", "worker", "edge", "cron"})


def _distances(scene: Scene) -> dict[int, int]:
    """The nodes that suffer when on-call looks, and how many unhealthy calls they are from the fault."""
    world, fault, simulation = scene.world, scene.fault, scene.first.simulation
    away = dict.fromkeys(fault.focal, 0)
    minute = simulation.minute(fault.now)
    for index in world.order:
        found = minute.get(index)
        if found is None or index in away:
            continue
        below = [away[callee] for callee in found.flows if callee in away]
        if below:
            away[index] = 1 + min(below)
    for broker in world.of_kinds(("queue",)):
        late = [
            call.caller
            for call in world.callers[broker]
            if call.caller in away and world.nodes[call.caller].kind == "worker"
        ]
        if broker not in away and suffers(scene, broker, fault.now):
            away[broker] = 1 + min(away[one] for one in late)
    return {
        index: far
        for index, far in away.items()
        if index != fault.root and (far or index in fault.blames) and suffers(scene, index, fault.now)
    }


def suffers(scene: Scene, index: int, minute: int) -> bool:
    """Whether a node that can page is unwell at a minute."""
    world, simulation = scene.world, scene.first.simulation
    kind = world.nodes[index].kind
    if kind == "queue":
        workers = [call.caller for call in world.callers[index] if world.nodes[call.caller].kind == "worker"]
        return any(simulation.lag(one, minute) >= LATE for one in workers)
    errors, slower = simulation.failing(index, minute)
    if kind in DOORS:
        return bool(flows_of(scene.first, index, minute))
    lag = simulation.lag(index, minute) if kind == "worker" else 0.0
    return kind in _PAGING and (errors >= RED or slower >= SLOW or lag >= LATE)


def _suffering(scene: Scene) -> list[int]:
    """Other nodes that suffer, those with most failing requests first; never the root or what it overloads."""
    simulation, fault = scene.first.simulation, scene.fault
    minute = simulation.minute(scene.fired)
    ill = [
        (found.errors * scene.world.nodes[index].rate, index)
        for index, found in minute.items()
        if index not in {fault.root, fault.shared, scene.paged} and suffers(scene, index, scene.fired)
    ]
    return [index for _, index in sorted(ill, reverse=True)]
