"""An incident that runs, and its course: a clock, and what was ordered at which second."""

from __future__ import annotations

import hashlib
import json
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from scenarios.incident import (
    Achieved,
    LossCurves,
    OrderedAt,
    Remedied,
    measure_plan,
    pace_by_certificates,
)
from scenarios.progress import UNTOUCHED, Outcome, Plan, PlanStep, Progress, Remedy
from scenarios.proofs.confirming import SEEN_SECONDS, count_seconds
from scenarios.running.runbook import (
    RULE,
    SILENCE_SECONDS,
    build_runbook,
    describe_runbook,
    find_operation,
    list_targets,
)
from scenarios.running.serving import BOTH
from scenarios.running.shared import Ordered, Orders, SharedRuns
from scenarios.running.symptoms import SHOWN_SECONDS, list_symptoms
from scenarios.telemetry import (
    Silence,
    describe_page,
    drop_silences,
    find_pages,
    is_well,
    look,
    report_changes,
    report_operation,
    report_silence,
    update_alert,
)
from scenarios.telemetry.clock import Clock
from scenarios.vocabulary import CHECK_RECENT_DEPLOYS
from scenarios.world import OPERATIONS, SIMULATOR_VERSION, SOFTWARE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from scenarios.evidence import Evidence
    from scenarios.incident import Account, Certificate, Explanation, Item, Known, Losses, Pace, Truth
    from scenarios.library import RunbookStep
    from scenarios.running.document import RunningDocument
    from scenarios.running.judging import Judge, Verdict
    from scenarios.running.serving import Serving
    from scenarios.vocabulary import Task, TaskId
    from scenarios.world import Run, System


class Story(Protocol):
    """What is to be found out and done about a system that runs, and where that comes from."""

    @property
    def digest(self) -> str:
        """What changes whenever the story does."""

    @property
    def proved(self) -> bool: ...

    @property
    def plan(self) -> Plan: ...

    @property
    def verifies(self) -> bool:
        """Whether its plan ends with verifications of the catalogue."""

    def tell(self, incident: RunningIncident) -> Truth:
        """The truth, from the run of the incident if need be."""

    def recount(self, incident: RunningIncident) -> Account:
        """What is told at the end, from the run of the incident if need be."""

    def certificates(self, task: TaskId) -> tuple[Certificate, ...]:
        """All certificates for a task, the smallest first. Empty where the task needs none."""

    def know(self, task: TaskId, seen: Collection[Item]) -> Known:
        """What somebody knows of the cause who has seen some evidence."""

    def explain(self, task: TaskId, seen: Collection[Item], looked_at: Collection[str]) -> tuple[Explanation, ...]:
        """The explanations other than the truth that somebody has left who has seen some evidence."""

    def pace(self, task: Task) -> Pace | None:
        """How many steps a task is worth; None where its certificates say so."""

    def find_judge(self, incident: RunningIncident) -> Judge | None:
        """Who judges by the runs of its incident what is done about it; None where its plan does."""


class NobodyPagedError(ValueError):
    """A system in which nobody is paged within the time that its document gives it."""


class RunningIncident:
    """A document whose system runs. It is played up to the moment at which on-call looks for the first time.

    Args:
        document: what it is.
        system: what runs.
        story: its truth, plan and certificates.
        runs: the runs of the system, if it was played before.

    Raises:
        NobodyPagedError: if nobody is paged.
    """

    def __init__(self, document: RunningDocument, system: System, story: Story, runs: SharedRuns | None = None) -> None:
        self.document = document
        self.system = system
        self._story = story
        self.runs = SharedRuns(system) if runs is None else runs
        self.fired, self.first_look, self._page = self._await_page()

    @property
    def id(self) -> str:
        return self.document.incident

    @cached_property
    def digest(self) -> str:
        software = sorted({component.software for component in self.system.components})
        documents = (self.document.model_dump(mode="json"), self.system.model_dump(mode="json"))
        first = (_write(part) for part in (SIMULATOR_VERSION, *documents))
        parts = (*first, *map(_write_software, software), _write(self._story.digest))
        return hashlib.sha256(f"[{', '.join(parts)}]".encode()).hexdigest()

    @property
    def scenarios(self) -> dict[TaskId, str]:
        return self.document.scenarios

    @property
    def proved(self) -> bool:
        return self._story.proved

    @cached_property
    def summary(self) -> str:
        return f"{self.document.summary}\n\n{describe_runbook(self.runbook, self.system)}"

    @property
    def alert(self) -> dict[str, Any]:
        return self._page

    @cached_property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted(component.name for component in self.system.components))

    @cached_property
    def flags(self) -> frozenset[str]:
        return frozenset(flag for component in self.system.components for flag in component.flags)

    @cached_property
    def symptoms(self) -> frozenset[str]:
        """The failure families that its components show if nothing is done."""
        until = self.first_look + SHOWN_SECONDS
        return list_symptoms(self.runs.get((), until), until)

    @cached_property
    def truth(self) -> Truth:
        return self._story.tell(self)

    @cached_property
    def account(self) -> Account:
        return self._story.recount(self)

    @property
    def accounted(self) -> bool:
        return "account" in vars(self)

    @cached_property
    def plan(self) -> Plan:
        return self._story.plan

    @cached_property
    def judge(self) -> Judge | None:
        """Who judges what is done; None where the plan does."""
        return self._story.find_judge(self)

    @property
    def serving(self) -> Serving | None:
        """Which cause a remediation serves; None where there is one."""
        return None if self.judge is None else self.judge.serving

    def certificates(self, task: TaskId) -> tuple[Certificate, ...]:
        return self._story.certificates(task)

    def know(self, task: TaskId, seen: Collection[Item]) -> Known:
        return self._story.know(task, seen)

    def explain(self, task: TaskId, seen: Collection[Item], looked_at: Collection[str]) -> tuple[Explanation, ...]:
        return self._story.explain(task, seen, looked_at)

    def pace(self, task: Task) -> Pace:
        return self._story.pace(task) or pace_by_certificates(self, task)

    def begin(self) -> RunningCourse:
        return RunningCourse(self, self.first_look, self._page, left=self.judge.distance if self.judge else 0)

    def evidence(self, diagnostic: str, service: str, progress: Progress) -> Evidence:
        """What a diagnostic shows after the steps of the progress, done one after another in the order of the plan."""
        course = self.begin()
        for step in self.plan.steps:
            if step.step in progress:
                course = course.apply(Remedy(step.action, step.target, on=step.on), verifies=step.verify)[0]
        return course.look(diagnostic, service)[0]

    @cached_property
    def runbook(self) -> Mapping[str, RunbookStep]:
        """The steps of the runbook that there are."""
        return build_runbook(verifies=self._story.verifies)

    def list_targets(self, step: str) -> tuple[str, ...] | None:
        """What of the system a step of the runbook can be applied to; None if it takes no target."""
        needs = self.runbook[step].needs
        return list_targets(self.system, needs) if needs else None

    def count_seconds(self, remedy: Remedy) -> int:
        """How long on-call is busy with a remediation: a minute at least, in whole minutes."""
        name, target = find_operation(remedy)
        if name in self.runbook and self.runbook[name].waits:
            return self.runbook[name].waits
        return count_seconds(self.system, name, target)

    def _await_page(self) -> tuple[int, int, dict[str, Any]]:
        """The second of the page, that at which on-call looks for the first time, and the page as it stands there."""
        last = self.document.longest_minutes - 1
        # What was played before is read at once: who was paged first stays so.
        for minute in range(min(max(1, self.runs.reached // _MINUTE), last), last + 1):
            run = self.runs.get((), minute * _MINUTE)
            pages = find_pages(run, minute * _MINUTE)
            if pages:
                fired = pages[0].fired
                first = -(-(fired + self.document.answered_after) // _MINUTE) * _MINUTE
                return fired, first, describe_page(self.runs.get((), first), pages[0], first)
        raise NobodyPagedError(
            f"{self.document.incident}: nobody is paged within {self.document.longest_minutes} minutes"
        )


def _write(part: object) -> str:
    return json.dumps(part, sort_keys=True)


@cache
def _write_software(name: str) -> str:
    """A software as a digest takes it; the incidents of a process have most of them in common."""
    return _write(SOFTWARE[name].model_dump(mode="json"))


_MINUTE = 60
HASTY_SECONDS = 300
"""Who looks again before so many seconds are over, and nothing was done meanwhile, learns nothing by it."""
_NOTHING = "nothing"
"""What is best to be done where there is nothing to repair."""


class Looked(NamedTuple):
    """When something was looked at, how much was ordered by then, and the alert as it stood."""

    at: int
    ordered: int
    alert: Mapping[str, Any]


class RunningCourse(NamedTuple):
    """The course of an incident that runs: at second `now` of the run in which this was ordered.

    `progress` are the steps of the plan that were done in their place, and `repairs` the remediations that were
    effective: the last of them was over at `mended_at`. At best so many operations were `left` until users are served
    again for good. `alert` is the alert as it stands there, and `looked` tells when each evidence was last looked at.
    `silences` are what was muted of it, which changes nothing in the run. Of two causes those were
    `served`, by their numbers, that something was done about.
    """

    incident: RunningIncident
    now: int
    alert: Mapping[str, Any]
    orders: Orders = ()
    progress: Progress = UNTOUCHED
    left: int = 0
    repairs: tuple[PlanStep, ...] = ()
    mended_at: int | None = None
    looked: Mapping[Item, Looked] = MappingProxyType({})
    silences: tuple[Silence, ...] = ()
    served: frozenset[int] = frozenset()

    def look(self, diagnostic: str, service: str) -> tuple[Evidence, RunningCourse]:
        run = self.incident.runs.get(self.orders, self.now)
        shown = look(run, diagnostic, service, as_of=self.now)
        looked = {**self.looked, (diagnostic, service): Looked(self.now, len(self.orders), drop_silences(self.alert))}
        return shown, self._let_pass(self.now + self.incident.document.look_seconds)._replace(looked=looked)

    def is_hasty(self, item: Item, /) -> bool:
        last = self.looked.get(item)
        if last is None or self.now - last.at >= HASTY_SECONDS:
            return False
        return last.ordered == len(self.orders) and last.alert == drop_silences(self.alert)

    def count_sighting(self, item: Item, /) -> frozenset[Item]:
        serving = self.incident.serving
        if serving is None:
            return frozenset({item})
        deeds = [find_operation(Remedy(step.action, step.target, on=step.on)) for step in self.repairs]
        return serving.count_sighting(item, self.served, deeds)

    @property
    def has_open_causes(self) -> bool:
        return self.incident.serving is not None and self.served < BOTH

    @property
    def is_played(self) -> bool:
        return True

    @property
    def runbook(self) -> Mapping[str, RunbookStep]:
        return self.incident.runbook

    def list_targets(self, step: str) -> tuple[str, ...] | None:
        if self.runbook[step].needs == RULE:
            return (self.alert["name"], *dict.fromkeys(page["name"] for page in self.alert.get("other_pages", ())))
        return self.incident.list_targets(step)

    @property
    def is_judged_by_runs(self) -> bool:
        return self.incident.judge is not None

    def remedy(self, remedy: Remedy, *, verifies: bool, judged: bool = True) -> Remedied:
        incident = self.incident
        name, target = find_operation(remedy)
        if name in self.runbook and self.runbook[name].needs == RULE:
            return self._silence(remedy)
        course, run = self.apply(remedy, verifies=verifies)
        acts = False
        if incident.judge is None:
            outcome = incident.plan.apply(remedy, self.progress, verifies=verifies)[0]
        elif verifies or not judged:
            outcome = Outcome.INEFFECTIVE
        else:
            verdict, course = self._weigh(incident.judge, remedy, course)
            outcome, acts = verdict.outcome, verdict.acts_on_cause
        report = ""
        if name in OPERATIONS:
            report = report_operation(run, name, target, self.now, course.now, self.silences)
        elif verifies and incident.runbook[name].waits:
            changes = report_changes(run, self.alert["name"], self.now, course.now, self.silences)
            report = f"{name}: {changes}"
        return Remedied(outcome, course, report, acts)

    def _silence(self, remedy: Remedy) -> Remedied:
        """Mute the notifications of a rule. Nothing is ordered in the run, and nothing is judged."""
        rule = next(name for name in self.list_targets(remedy.target) or () if name.lower() == remedy.on)
        silence = Silence(rule, self.now, self.now + SILENCE_SECONDS)
        course, run = self._replace(silences=(*self.silences, silence)).apply(remedy, verifies=True)
        said = report_silence(run, silence, self.silences, course.now)
        return Remedied(Outcome.INEFFECTIVE, course, f"{remedy.target} {rule}: {said}")

    def _weigh(self, judge: Judge, remedy: Remedy, course: RunningCourse) -> tuple[Verdict, RunningCourse]:
        """What a remediation was worth, and the course after it, which knows of that."""
        verdict = judge.judge(self.orders, course.orders[-1], self.left)
        course = course._replace(served=self.served | verdict.serves)
        if verdict.outcome is not Outcome.EFFECTIVE:
            return verdict, course
        step = PlanStep(remedy.action, remedy.target, on=remedy.on)
        return verdict, course._replace(left=verdict.left, repairs=(*self.repairs, step), mended_at=course.now)

    @property
    def steps(self) -> tuple[PlanStep, ...]:
        return self.incident.plan.steps if self.incident.judge is None else self.repairs

    def measure(self, effective: frozenset[str]) -> Achieved:
        judge = self.incident.judge
        if judge is None:
            return measure_plan(self.incident.plan, effective)
        share = judge.measure(self.orders, self.now, self.mended_at)
        return Achieved(share, by_outcome=True, calm=judge.is_calm)

    def find_losses(self) -> Losses | None:
        judge = self.incident.judge
        return None if judge is None else judge.find_losses(self.orders, self.now)

    @property
    def is_traced(self) -> bool:
        judge = self.incident.judge
        return judge is None or judge.has_traced(self.orders, self.now)

    def trace_losses(self) -> LossCurves | None:
        incident, judge = self.incident, self.incident.judge
        if judge is None:
            return None
        traced, clock = judge.trace(self.orders, self.now), Clock(incident.system)
        return LossCurves(
            since=clock.get_moment(traced.since),
            minutes=traced.minutes,
            actual=traced.actual,
            nothing=traced.nothing,
            best=traced.best,
            repair=tuple(f"{operation} {target}" for operation, target in traced.repair) or (_NOTHING,),
            fault_at=clock.get_moment(judge.struck_at),
            page_at=clock.get_moment(incident.fired),
            first_look_at=clock.get_moment(incident.first_look),
            ended_at=clock.get_moment(self.now),
            ordered=tuple(
                OrderedAt(clock.get_moment(order.at), order.operation, order.target) for order in self.orders
            ),
        )

    def apply(self, remedy: Remedy, *, verifies: bool) -> tuple[RunningCourse, Run]:
        """Do a remediation: the course after it, and the run in which it was done."""
        incident = self.incident
        progress = incident.plan.apply(remedy, self.progress, verifies=verifies)[1]
        orders = self.orders
        if not verifies:
            orders = (*orders, Ordered(self.now, *find_operation(remedy), remedy.replicas))
        course = self._replace(orders=orders, progress=progress)
        done = self.now + incident.count_seconds(remedy)
        return course._let_pass(done), incident.runs.get(orders, done)

    def _let_pass(self, now: int) -> RunningCourse:
        """The course at a later second, and the alert with it. What is later is played now, so that no look waits."""
        run = self.incident.runs.get(self.orders, now)
        return self._replace(now=now, alert=update_alert(self.alert, run, now, self.silences))

    def shows_recovery(self, item: Item, _: Evidence, /) -> bool:
        """Whether something was repaired, users are served again, and a look was at what had failed them.

        By a plan that is all of it and a service of the alert; else a component that was repaired does as well. Where
        there is nothing to repair it is a service of the alert.
        """
        incident, judge = self.incident, self.incident.judge
        services = set(incident.alert["affected_services"])
        if judge is None:
            repaired = incident.plan.is_repaired(self.progress)
        elif judge.is_calm:
            repaired = item[0] != CHECK_RECENT_DEPLOYS.name
        else:
            repaired = bool(self.repairs) and item[0] != CHECK_RECENT_DEPLOYS.name
            services |= {each.service for each in incident.truth.causes}
            services |= {step.on or step.target for step in self.repairs}
        if not repaired or item[1] not in services:
            return False
        seen = self.now - incident.document.look_seconds
        if is_well(incident.runs.get(self.orders, seen), seen, SEEN_SECONDS):
            return True
        return judge is not None and judge.is_well(self.orders, seen, SEEN_SECONDS)

    @property
    def harms(self) -> tuple[str, ...]:
        return ()
