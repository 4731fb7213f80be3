"""Systems, what befalls them and what is ordered meanwhile, drawn at random for properties that hold for all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from scenarios.world import (
    OPERATIONS,
    SOFTWARE,
    Call,
    Change,
    Component,
    Job,
    Journey,
    Release,
    Route,
    Run,
    System,
)

if TYPE_CHECKING:
    from random import Random

FEW = settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),  # to make a system that fails smaller takes minutes
)
"""A sample that takes seconds."""
MANY = settings(FEW, max_examples=int(os.environ.get("WORLD_SYSTEMS", "4")))
"""Other systems, for tests that are marked slow. The wide run and `scripts/laws-check` say how many more they draw."""

MINUTES = 10
"""Changes and orders come within so many minutes."""

_Kind = Literal["work", "errors", "slots", "memory_limit", "leak", "loss", "denied", "demand", "flag", "release"]

_LEVELS: dict[_Kind, tuple[float, ...]] = {
    "work": (0.0, 0.5, 3.0, 50.0, 1000.0),
    "errors": (0.0, 0.02, 0.4, 1.0),
    "slots": (0.0, 0.1, 0.5, 4.0),
    "memory_limit": (0.0, 0.1, 0.6, 2.0),
    "leak": (0.0, 0.5, 20.0),
    "loss": (0.0, 0.1, 0.7, 1.0),
    "denied": (0.0, 0.5, 1.0),
    "demand": (0.0, 0.3, 3.0, 1000.0),
    "flag": (0.0, 1.0),
    "release": (0.0, 1.0),
}
"""The values that each part of the state changes to: the ends are meant to hurt."""
_PARAMETERS = {
    "slots": (1, 4, 30),
    "queue": (0, 5, 1000),
    "patience": (0, 1, 20),
    "cores": (1, 8),
    "checks_connections": (0, 1),
    "automatic_starts": (0, 1, 3),
    "connections": (0, 10, 200),
    "start_seconds": (0, 12, 60),
    "request_memory": (0, 8),
}


@dataclass(frozen=True)
class Drawn:
    """A system with what is ordered at which second."""

    system: System
    orders: tuple[tuple[float, str, str], ...]

    def play(self, run: Run, until: float) -> None:
        """Let a run go on, and order what falls into that time."""
        for at, operation, target in self.orders:
            if run.time <= at < until:
                run.advance(at - run.time)
                run.order(operation, target)
        run.advance(until - run.time)


def draw_component(random: Random, place: int) -> Component:
    """A component of any software, with one or two routes."""
    releases = (
        Release(version="1.0.0"),
        Release(
            version="1.1.0",
            work=random.choice((0.5, 1.0, 6.0)),
            errors=random.choice((0.0, 0.05)),
            leak=random.choice((0.0, 0.0, 3.0)),
        ),
    )
    return Component(
        name=f"c{place}",
        software=random.choice(tuple(SOFTWARE)),
        instances=random.choice((1, 1, 2, 3, 5)),
        routes=tuple(
            Route(
                name=f"r{number}",
                work=(work := random.choice((0.0004, 0.004, 0.03, 0.2))),
                cpu=work * random.choice((0.0, 0.1, 1.0)),
                errors=random.choice((0.0, 0.0, 0.003)),
            )
            for number in range(random.choice((1, 1, 2)))
        ),
        releases=releases[: random.choice((1, 2))],
    )


def draw_calls(random: Random, components: list[Component], *, gentle: bool) -> list[Call]:
    """Calls from each route to routes of components that stand behind it, so that there is no cycle."""
    calls = []
    for place, component in enumerate(components[:-1]):
        for route in component.routes:
            behind = components[place + 1 :]
            for callee in random.sample(behind, k=min(random.choice((0, 1, 2, 3)), len(behind))):
                call = Call(
                    source=f"{component.name}/{route.name}",
                    target=f"{callee.name}/{random.choice(callee.routes).name}",
                    weight=random.choice((1.0, 1.0, 2.0) if gentle else (0.01, 0.3, 1.0, 2.0, 7.5)),
                    deadline=random.choice((5.0, 8.0) if gentle else (0.001, 0.2, 1.0, 8.0)),
                    attempts=random.choice((1, 2, 3)),
                    pool=200.0 if gentle else random.choice((0.5, 8.0, 100.0)),
                    optional=random.choice((False, False, True)),
                )
                calls.append(call)
    return calls


def draw_change(random: Random, system: System, *, harsh: bool = True) -> Change:
    """One change of any kind that the system allows for, within `MINUTES`."""
    flags = [flag for component in system.components for flag in component.flags]
    two = [component.name for component in system.components if len(component.releases) > 1]
    targets: dict[_Kind, list[str]] = {
        **{kind: [component.name for component in system.components] for kind in _LEVELS},
        **{kind: [f"{call.source} {call.target}" for call in system.calls] for kind in ("loss", "denied")},
        "demand": [journey.name for journey in system.journeys],
        "flag": flags,
        "release": two,
    }
    what = random.choice([kind for kind in _LEVELS if targets[kind]])
    levels = _LEVELS[what]
    return Change(
        at=float(random.randrange(0, 60 * MINUTES)),
        what=what,
        target=random.choice(targets[what]),
        to=random.choice(levels if harsh else levels[:3]),
        over=random.choice((0.0, 0.0, 7.0, 90.0)),
    )


def draw_job(random: Random, stores: list[str], flag: str) -> Job:
    """A job that works on one of some stores."""
    return Job(
        name="batch",
        store=random.choice(stores),
        flag=flag,
        every=random.choice((60.0, 300.0)),
        first=random.choice((0.0, 33.0, 200.0)),
        lasts=random.choice((20.0, 250.0)),
        retry=random.choice((5.0, 30.0)),
        memory_rate=random.choice((0.0, 10.0, 300.0)),
        slow=random.choice((1.0, 3.0)),
    )


@st.composite
def draw_systems(draw: st.DrawFn, *, gentle: bool = False) -> System:
    """A system of three to twelve components. A `gentle` one serves its users and nothing befalls it."""
    random = draw(st.randoms(use_true_random=False))
    components = [draw_component(random, place) for place in range(random.randint(3, 12))]
    if not gentle:
        stores = [component.name for component in components if component.kind.kernel == "store"]
        for place, component in enumerate(components):
            update: dict[str, object] = {
                "parameters": {
                    name: float(random.choice(_PARAMETERS[name]))
                    for name in random.sample(tuple(_PARAMETERS), k=random.choice((0, 0, 1, 3)))
                }
            }
            if stores and random.random() < 0.3:
                flag = f"flag-{place}"
                update |= {"flags": (flag,), "jobs": (draw_job(random, stores, flag),)}
            components[place] = component.model_copy(update=update)
    journeys = [
        Journey(
            name=f"j{number}",
            entry=f"{component.name}/{random.choice(component.routes).name}",
            demand=random.choice((1.0, 5.0, 10.0) if gentle else (0.05, 3.0, 60.0, 900.0)),
            deadline=random.choice((3.0, 10.0)),
        )
        for number, component in enumerate(components[: random.randint(1, 3)])
    ]
    system = System(
        name="drawn",
        components=tuple(components),
        calls=tuple(draw_calls(random, components, gentle=gentle)),
        journeys=tuple(journeys),
        seed=random.randrange(1000),
    )
    if gentle:
        return system
    changes = tuple(draw_change(random, system) for _ in range(random.randint(0, 6)))
    return system.model_copy(update={"changes": changes})


@st.composite
def draw_played(draw: st.DrawFn) -> Drawn:
    """A system with orders of every kind, right or not, at any time within `MINUTES`."""
    system = draw(draw_systems())
    random = draw(st.randoms(use_true_random=False))
    targets = {
        "service": [component.name for component in system.components],
        "flag": [flag for component in system.components for flag in component.flags],
        "job": [job.name for component in system.components for job in component.jobs],
        "client": [journey.name for journey in system.journeys],
        "zone": list(system.zones),
        "topic": [topic.name for topic in system.topics],
    }
    orders = []
    for _ in range(random.randint(0, 6)):
        operation = random.choice(tuple(OPERATIONS.values()))
        if targets[operation.target]:
            at = 5.0 * random.randrange(0, 12 * MINUTES)
            orders.append((at, operation.name, random.choice(targets[operation.target])))
    return Drawn(system, tuple(sorted(orders)))
