"""What the laws are checked on: a system that runs, when somebody begins to act in it, and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from scenarios.vocabulary import DIAGNOSTICS
from scenarios.world import OPERATIONS, Run, System
from scenarios.world.operations.operation import find_targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.running.incident import RunningIncident

LOOK_SECONDS = 60.0
"""What a look takes."""
_SPACING = 120.0
"""From one step of a plan to the next."""


class Move(NamedTuple):
    """A look or an order, by the name of the diagnostic or operation, at a second of the run."""

    at: float
    name: str
    target: str

    @property
    def is_look(self) -> bool:
        return self.name in DIAGNOSTICS


class Play(NamedTuple):
    """What somebody does, in the order of time, and the second at which it is over."""

    player: str
    moves: tuple[Move, ...]
    until: float


@dataclass(frozen=True, slots=True)
class Subject:
    """A system, the second at which somebody begins to act, and the steps that an honest player takes.

    `returns_seconds` is how long it takes to come back when what befell it is taken out, None if it never does. `kind`
    makes its runs. An `incident` has pages and a course of its own.
    """

    name: str
    system: System
    begins: float
    plan: tuple[tuple[str, str], ...] = ()
    returns_seconds: float | None = 900.0
    incident: RunningIncident | None = None
    kind: type[Run] = Run

    @classmethod
    def of_incident(cls, incident: RunningIncident) -> Subject:
        """An incident, from the moment at which on-call looks for the first time."""
        minutes = incident.document.returns_minutes
        return cls(
            name=incident.id,
            system=incident.system,
            begins=float(incident.first_look),
            plan=tuple(
                (step.target, step.on) if step.on else (step.action, step.target) for step in incident.plan.repairs
            ),
            returns_seconds=None if minutes is None else 60.0 * minutes,
            incident=incident,
        )

    def start(self, *, step: float | None = None) -> Run:
        """A run of the system from its start."""
        return self.kind(self.system) if step is None else self.kind(self.system, step=step)

    def list_plays(self) -> tuple[Play, ...]:
        """An honest play, a random one and a hostile one."""
        return self.play_honestly(), self.play_at_random(), self.play_to_hurt()

    def play_honestly(self, spacing: float = _SPACING) -> Play:
        """Look around, do what is planned step by step, and see whether it holds."""
        names = [component.name for component in self.system.components]
        moves, now = [], self.begins
        for diagnostic, name in zip(DIAGNOSTICS, _repeat(names, len(DIAGNOSTICS)), strict=True):
            moves.append(Move(now, diagnostic, name))
            now += LOOK_SECONDS
        for operation, target in self.plan:
            moves.append(Move(now, operation, target))
            now += spacing
        for diagnostic in DIAGNOSTICS:
            moves.append(Move(now, diagnostic, names[0]))
            now += LOOK_SECONDS
        return Play("honest", tuple(moves), now)

    def play_at_random(self, count: int = 16) -> Play:
        """Looks and operations on anything, drawn by the seed of the system."""
        random = Random(self.system.seed)  # noqa: S311 - it only has to be the same every time
        targets = _list_targets(self.system)
        possible = [(operation.name, targets[operation.target]) for operation in OPERATIONS.values()]
        possible = [(name, names) for name, names in possible if names]
        moves, now = [], self.begins
        for _ in range(count):
            if random.random() < 0.4:
                moves.append(Move(now, random.choice(tuple(DIAGNOSTICS)), random.choice(targets["service"])))
                now += LOOK_SECONDS
            else:
                name, names = random.choice(possible)
                moves.append(Move(now, name, random.choice(names)))
                now += random.choice((5.0, 20.0, 60.0))
        return Play("random", tuple(moves), now + LOOK_SECONDS)

    def play_to_hurt(self) -> Play:
        """Everything at once, and again while it is under way: restarts, drained zones, purged queues, and more."""
        targets = _list_targets(self.system)
        waves = (
            (0.0, ("restart_service", "clear_cache", "shed_load")),
            (10.0, ("drain_zone", "purge_queue", "restart_service")),
            (25.0, ("drain_zone", "cordon_zone", "rotate_secret", "fail_over")),
            (60.0, ("restart_service", "scale_service", "purge_queue", "block_client", "cancel_sessions")),
            (75.0, ("clear_cache", "rotate_secret", "disable_feature_flag", "raise_memory", "skip_message")),
            (180.0, ("uncordon_zone", "restart_service", "rollback_deploy", "unblock_client", "flush_resolver")),
            (240.0, ("drain_zone", "clear_cache", "rotate_secret", "restart_service", "purge_queue", "pause_job")),
            (300.0, ("drain_zone", "rotate_secret", "restart_service", "expand_volume", "clean_disk", "raise_slots")),
        )
        moves = [
            Move(self.begins + after, name, target)
            for after, names in waves
            for name in names
            for target in targets[OPERATIONS[name].target]
        ]
        return Play("hostile", tuple(moves), self.begins + 420.0)


def _repeat(names: Sequence[str], count: int) -> list[str]:
    return [names[place % len(names)] for place in range(count)]


def _list_targets(system: System) -> dict[str, list[str]]:
    """What operations may be applied to, by kind."""
    run = Run(system)
    kinds = {operation.target for operation in OPERATIONS.values()}
    return {kind: list(find_targets(run.layout, run.state, kind, 0)) for kind in sorted(kinds)}
