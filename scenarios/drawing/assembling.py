"""From a sketch to the system that it comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from scenarios.world import Call, Component, Journey, Release, Route, System

if TYPE_CHECKING:
    from scenarios.drawing.sketch import PartSketch, Sketch
    from scenarios.generator.dice import Dice

_FIRST = datetime(2026, 1, 5, tzinfo=UTC)
_DAYS = 330


def assemble(sketch: Sketch, seed: int, dice: Dice) -> System:
    """The system of a sketch whose numbers are fitted. `seed` is that of its noise."""
    return System(
        name=f"{sketch.business}-{seed % 99991}",
        seed=seed,
        begins=_FIRST + timedelta(minutes=dice.whole(0, _DAYS * 1440)),
        components=tuple(_assemble_part(part) for part in sketch.parts.values()),
        calls=tuple(
            Call(
                source=call.source,
                target=call.target,
                weight=call.weight,
                deadline=call.deadline,
                attempts=call.attempts,
                pool=call.pool,
                optional=call.optional,
                on_miss=call.on_miss,
            )
            for call in sketch.calls
        ),
        journeys=tuple(
            Journey(
                name=each.name,
                entry=each.entry,
                demand=each.demand,
                deadline=each.deadline,
                worth=each.worth,
                retries=each.retries,
                awaits=each.awaits,
                within=each.within,
            )
            for each in sketch.journeys
        ),
        zones=sketch.zones,
        links=tuple(sketch.links),
        topics=tuple(sketch.topics),
        groups=tuple(sketch.groups),
        resolver=sketch.resolver,
    )


def _assemble_part(part: PartSketch) -> Component:
    return Component(
        name=part.name,
        software=part.software,
        instances=part.instances,
        spare=part.spare,
        zones=part.zones,
        routes=tuple(
            Route(
                name=route.name,
                work=route.work,
                tail=route.tail,
                cpu=route.cpu,
                errors=route.errors,
                writes=route.writes,
                method=route.method,
                path=route.path,
            )
            for route in part.routes.values()
        ),
        releases=(Release(version=part.version),),
        about=part.about,
        team=part.team,
        flags=tuple(part.flags),
        jobs=tuple(part.jobs),
        parameters=part.parameters,
    )
