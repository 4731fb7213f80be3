"""Runs an audit: measures the incidents of a sample, in several processes if asked to, and judges the figures."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import active_children, get_context
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cloud_incident.about import describe_server
from cloud_incident.evaluation.audit.case import Bench, Case
from cloud_incident.evaluation.audit.check import (
    MOST_EXAMPLES,
    STATUSES,
    AuditContext,
    Check,
    CheckGroup,
    CheckResult,
    CheckStatus,
    Measurement,
    UnknownCheckError,
)
from cloud_incident.evaluation.audit.gaming import GamingChecks
from cloud_incident.evaluation.audit.laws import LawChecks
from cloud_incident.evaluation.audit.learning import LearningChecks
from cloud_incident.evaluation.audit.population import PopulationChecks
from cloud_incident.evaluation.audit.reproducing import ReproducibilityChecks
from cloud_incident.evaluation.audit.resources import ResourceChecks
from cloud_incident.evaluation.audit.rewards import RewardChecks
from cloud_incident.evaluation.audit.sample import Sample, Specimen
from cloud_incident.evaluation.audit.secrecy import ContainmentChecks, LeakageChecks
from cloud_incident.evaluation.audit.solving import SolvabilityChecks
from cloud_incident.evaluation.audit.world import AuditedWorld
from scenarios.generator.naming import OPEN
from scenarios.suggesting import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from scenarios.vocabulary import TaskId

GROUPS: tuple[CheckGroup[Any], ...] = (
    ReproducibilityChecks(),
    SolvabilityChecks(),
    RewardChecks(),
    ContainmentChecks(),
    LeakageChecks(),
    GamingChecks(),
    LearningChecks(),
    PopulationChecks(),
    ResourceChecks(),
    LawChecks(),
)

CHECKS: dict[str, Check] = {spec.id: spec for group in GROUPS for spec in group.specs}
"""Every check by its id, in the order in which they are presented."""

_WARM_UP = Specimen(-1, OPEN, 0, 1)
"""An incident that is made before the sample, to load what is loaded once."""
_AT_ONCE = 4
"""Incidents that a process is sent at a time."""


class Row(NamedTuple):
    """The measurements of one incident, in the order of the groups. A group that failed has its error instead.

    `broken` is the error that kept the incident from being made; there are no measurements then.
    """

    measured: Sequence[Measurement[Any] | str] = ()
    broken: str = ""


@dataclass(frozen=True, slots=True)
class AuditResult:
    """The result of an audit. `seconds` is wall-clock time.

    `measured_at` is when the audit began, in UTC, as ISO 8601 has it. `version` is that of the release that measured.
    """

    sample: Sample
    checks: tuple[CheckResult, ...]
    seconds: float
    measured_at: str
    version: str

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not any(check.failed for check in self.checks)

    def count_statuses(self) -> dict[CheckStatus, int]:
        """Count the checks of each status."""
        found = [check.status for check in self.checks]
        return {status: found.count(status) for status in STATUSES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """A sample of the incidents of a world, and the checks to make: those named, or all. `jobs` counts processes."""

    sample: Sample = field(default_factory=Sample)
    checks: Sequence[str] = ()
    jobs: int = 1
    world: AuditedWorld = field(default_factory=AuditedWorld)

    def run(self) -> AuditResult:
        """Measure the sample, judge it, and display the progress on standard error.

        Raises:
            UnknownCheckError: if a check does not exist.
            UnknownScenarioError: if a split or an index does not exist.
        """
        groups = self._select_groups()
        self.sample.check(self.world.make_catalogue())
        began, now = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
        specimens = self.sample.list_specimens()
        measured = self._measure(specimens, [GROUPS.index(group) for group in groups])
        with click.progressbar(
            measured, length=len(specimens), label="incidents", file=sys.stderr, show_pos=True
        ) as shown:
            rows = list(shown)
        checks = tuple(
            check
            for number, group in enumerate(groups)
            for check in self._judge(group, [row.measured[number] for row in rows if not row.broken], rows)
            if check.spec.id in self._asked
        )
        return AuditResult(self.sample, checks, time.perf_counter() - began, now, describe_server().version)

    @property
    def _asked(self) -> frozenset[str]:
        return frozenset(self.checks or CHECKS)

    def _select_groups(self) -> list[CheckGroup[Any]]:
        for name in self.checks:
            if name not in CHECKS:
                raise UnknownCheckError(describe_unknown("check", name, CHECKS))
        return [group for group in GROUPS if any(spec.id in self._asked for spec in group.specs)]

    def _measure(self, specimens: Sequence[Specimen], groups: Sequence[int]) -> Iterator[Row]:
        if self.jobs == 1:
            worker = _Worker(self.world, self.sample.tasks, groups, self._asked)
            yield from map(worker.measure, specimens)
            return
        given = (self.world, self.sample.tasks, groups, self._asked)
        parts = [specimens[start : start + _AT_ONCE] for start in range(0, len(specimens), _AT_ONCE)]
        with ProcessPoolExecutor(self.jobs, get_context("spawn"), _start_worker, given) as pool:
            with _ignore_interrupts():  # the workers inherit that, so that they print nothing when Ctrl-C is pressed
                measured = [pool.submit(_measure_in_worker, part) for part in parts]
            try:
                for rows in measured:
                    yield from rows.result()
            except BaseException:
                for process in active_children():
                    process.kill()
                raise

    def _judge(
        self, group: CheckGroup[Any], found: Sequence[Measurement[Any] | str], rows: Sequence[Row]
    ) -> Iterator[CheckResult]:
        """Judge the checks of a group. Incidents that could not be measured fail all of them."""
        errors = [measurement for measurement in found if isinstance(measurement, str)]
        whole = [measurement for measurement in found if not isinstance(measurement, str)]
        context = AuditContext(self.world, self.sample, self._asked, [row.broken for row in rows if row.broken])
        if not whole and not (context.broken and any(spec.id == "generator.generation" for spec in group.specs)):
            status: CheckStatus = "error" if errors or context.broken else "skip"
            examples = tuple([*errors, *context.broken][:MOST_EXAMPLES])
            yield from (CheckResult(spec, status, {}, "nothing could be measured", examples) for spec in group.specs)
            return
        for check in group.judge(whole, context):
            if errors:
                note = f"{len(errors)} of {len(found)} incidents could not be measured"
                yield CheckResult(check.spec, "error", check.measured, note, tuple(errors[:MOST_EXAMPLES]))
            else:
                yield check


class _Worker:
    """Measures incidents in one process."""

    def __init__(
        self, world: AuditedWorld, tasks: Sequence[TaskId], groups: Sequence[int], asked: Collection[str]
    ) -> None:
        self._bench = Bench(world)
        self._tasks = tasks
        self._asked = asked
        self._groups = [GROUPS[number] for number in groups]
        _warm_up(self._bench, tasks)

    def measure(self, specimen: Specimen) -> Row:
        """Measure an incident by every group, and give errors as text."""
        try:
            case = Case(self._bench, specimen, self._tasks, self._asked)
        except Exception as error:
            where = f"{specimen.split} {specimen.number}, difficulty {specimen.difficulty}"
            return Row(broken=f"{where}: {_describe_error(error)}")
        return Row([self._measure_group(group, case) for group in self._groups])

    def _measure_group(self, group: CheckGroup[Any], case: Case) -> Measurement[Any] | str:
        try:
            return Measurement(case.specimen, case.name, group.measure(case))
        except Exception as error:
            return f"{case.name}: {_describe_error(error)}"


def _describe_error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _warm_up(bench: Bench, tasks: Sequence[TaskId]) -> None:
    """Load what is loaded once, so that it does not count as the cost of the first incident."""
    try:
        Case(bench, _WARM_UP, tasks, ())
    except Exception:
        return  # the incidents of the sample will show the same error


_worker: list[_Worker] = []
"""The worker of this process; empty in a process that does not measure."""


def _start_worker(world: AuditedWorld, tasks: Sequence[TaskId], groups: Sequence[int], asked: Collection[str]) -> None:
    _worker[:] = [_Worker(world, tasks, groups, asked)]


def _measure_in_worker(specimens: Sequence[Specimen]) -> list[Row]:
    return [_worker[0].measure(specimen) for specimen in specimens]


@contextmanager
def _ignore_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C meanwhile, where signals are handled: in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier)


def count_processors() -> int:
    """Count the processors of this machine."""
    return os.cpu_count() or 1
