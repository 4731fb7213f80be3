"""The audit itself: measures a sample, in several processes if there is enough of it, and judges what was found."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import click

from cloud_incident.evaluation.audit.case import Bench, Case
from cloud_incident.evaluation.audit.check import MOST_EXAMPLES, Check, Context, Found, Group, Spec, Status
from cloud_incident.evaluation.audit.gaming import Gaming
from cloud_incident.evaluation.audit.learning import Learning
from cloud_incident.evaluation.audit.population import Population
from cloud_incident.evaluation.audit.reproducing import Reproducing
from cloud_incident.evaluation.audit.resources import Resources
from cloud_incident.evaluation.audit.rewards import Rewards
from cloud_incident.evaluation.audit.sample import Sample, Specimen
from cloud_incident.evaluation.audit.secrecy import Containment, Leakage
from cloud_incident.evaluation.audit.solving import Solving
from cloud_incident.evaluation.audit.world import World
from scenarios.catalogue import UnknownScenarioError
from scenarios.generator.naming import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.vocabulary import TaskId

GROUPS: tuple[Group[Any], ...] = (
    Reproducing(),
    Solving(),
    Rewards(),
    Containment(),
    Leakage(),
    Gaming(),
    Learning(),
    Population(),
    Resources(),
)

CHECKS: dict[str, Spec] = {spec.id: spec for group in GROUPS for spec in group.specs}
"""Every check by its id, in the order in which they are told."""

_WARM_UP = Specimen(-1, OPEN, 0, 1)
_AT_ONCE = 4
"""Incidents that a process takes at a time."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What came of an audit."""

    sample: Sample
    checks: tuple[Check, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        return not any(check.failed for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """A sample of a world's incidents, and the checks to make: those named, or all. `jobs` processes measure."""

    sample: Sample = field(default_factory=Sample)
    checks: Sequence[str] = ()
    jobs: int = 1
    world: World = field(default_factory=World)

    def run(self) -> Audited:
        """Measure and judge, with a display of how far it is.

        Raises:
            UnknownScenarioError: if a check, a split or an index does not exist.
        """
        groups = self._groups()
        self.sample.check(self.world.catalogue())
        began = time.perf_counter()
        specimens = self.sample.specimens()
        measured = self._measured(specimens, [GROUPS.index(group) for group in groups])
        with click.progressbar(
            measured, length=len(specimens), label="incidents", file=sys.stderr, show_pos=True
        ) as shown:
            rows = list(shown)
        checks = tuple(
            check
            for number, group in enumerate(groups)
            for check in self._judged(group, [row[number] for row in rows if isinstance(row, list)], rows)
            if not self.checks or check.spec.id in self.checks
        )
        return Audited(self.sample, checks, time.perf_counter() - began)

    def _groups(self) -> list[Group[Any]]:
        for name in self.checks:
            if name not in CHECKS:
                raise UnknownScenarioError(f"Unknown check {name!r}. Checks: {', '.join(CHECKS)}.")
        return [group for group in GROUPS if not self.checks or any(spec.id in self.checks for spec in group.specs)]

    def _measured(self, specimens: Sequence[Specimen], groups: Sequence[int]) -> Iterator[Row]:
        if self.jobs == 1:
            worker = _Worker(self.world, self.sample.tasks, groups)
            yield from map(worker.measured, specimens)
            return
        given = (self.world, self.sample.tasks, groups)
        with ProcessPoolExecutor(self.jobs, get_context("spawn"), _begin, given) as pool:
            yield from pool.map(_measured, specimens, chunksize=_AT_ONCE)

    def _judged(self, group: Group[Any], found: Sequence[Found[Any] | str], rows: Sequence[Row]) -> Iterator[Check]:
        """The checks of a group. What could not be measured fails all of them."""
        errors = [one for one in found if isinstance(one, str)]
        whole = [one for one in found if not isinstance(one, str)]
        context = Context(self.world, self.sample, [row for row in rows if isinstance(row, str)])
        if not whole and not (context.broken and any(spec.id == "generator.generation" for spec in group.specs)):
            status: Status = "error" if errors or context.broken else "skip"
            examples = tuple([*errors, *context.broken][:MOST_EXAMPLES])
            yield from (Check(spec, status, {}, "nothing could be measured", examples) for spec in group.specs)
            return
        for check in group.judge(whole, context):
            if errors:
                note = f"{len(errors)} of {len(found)} incidents could not be measured"
                yield Check(check.spec, "error", check.measured, note, tuple(errors[:MOST_EXAMPLES]))
            else:
                yield check


Row = list["Found[Any] | str"] | str
"""What each group measured of an incident, or what kept it from that; or why there is no incident."""


class _Worker:
    """Measures incidents in one process."""

    def __init__(self, world: World, tasks: Sequence[TaskId], groups: Sequence[int]) -> None:
        self._bench = Bench(world)
        self._tasks = tasks
        self._groups = [GROUPS[number] for number in groups]
        _warm(self._bench, tasks)

    def measured(self, specimen: Specimen) -> Row:
        try:
            case = Case(self._bench, specimen, self._tasks)
        except Exception as error:
            return f"{specimen.split} {specimen.number}, difficulty {specimen.difficulty}: {_said(error)}"
        return [self._by(group, case) for group in self._groups]

    def _by(self, group: Group[Any], case: Case) -> Found[Any] | str:
        try:
            return Found(case.specimen, case.name, group.measure(case))
        except Exception as error:
            return f"{case.name}: {_said(error)}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _warm(bench: Bench, tasks: Sequence[TaskId]) -> None:
    """Have read what is read once, so that it is not counted as the cost of the first incident."""
    try:
        Case(bench, _WARM_UP, tasks)
    except Exception:
        return  # it will be told of those of the sample


_worker: list[_Worker] = []
"""The one of this process, if it is one that measures."""


def _begin(world: World, tasks: Sequence[TaskId], groups: Sequence[int]) -> None:
    _worker[:] = [_Worker(world, tasks, groups)]


def _measured(specimen: Specimen) -> Row:
    return _worker[0].measured(specimen)


def processors() -> int:
    """How many processes can measure at once."""
    return os.cpu_count() or 1
