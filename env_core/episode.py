"""The episode: a pure fold over actions. No clock, no chance, no I/O; the same actions give the same bytes anywhere."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from env_core.rewards import (
    SCORE,
    WATCHED,
    Events,
    is_first_late,
    reward_lateness,
    reward_query,
    reward_remediation,
    sum_events,
    word_events,
    word_feedback,
)
from graders import Conduct, Grade, grade
from scenarios.incident import Achieved, Remedied
from scenarios.library import list_runbook_steps
from scenarios.parsing import InvalidActionError, ListingError, parse_action
from scenarios.progress import Outcome, Remedy
from scenarios.suggesting import suggest
from scenarios.vocabulary import (
    ASK_FOR_LIST,
    FLAG,
    POINT,
    RUNBOOK_STEP,
    SERVICE,
    Action,
    Diagnostic,
    Remediation,
    to_reward,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from env_core.reference import Reference
    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.evidence import Evidence
    from scenarios.incident import Course, Incident, Item, Losses
    from scenarios.vocabulary import Target, Task

_RUNBOOK = "The steps of the runbook, and what each does. Asking was no step, and nothing was executed."

_NOTHING: frozenset[Item] = frozenset()

OVER = "The incident is over."
"""What an agent is told at the end whose debrief is kept from it."""


class Step(NamedTuple):
    """One step that was taken.

    Rewards are in units of 1/`POINT`. `evidence` is what a diagnostic showed. `error` says what was wrong with the step
    and `error_code` names it: `unknown_service` or `unknown_target`. `report` is what a remediation did, where the
    incident tells that itself. `recovered` says that the evidence shows the recovery, and `counted` is what it counts
    as among what was found beforehand.
    """

    number: int
    action: Action
    events: Events
    reward: int
    feedback: str
    error: str | None = None
    error_code: str | None = None
    evidence: Evidence | None = None
    outcome: Outcome | None = None
    report: str = ""
    recovered: bool = False
    counted: frozenset[Item] = frozenset()

    @property
    def plain_feedback(self) -> str:
        """The feedback without what the step has earned."""
        told = self.events and self.events != ((SCORE, self.reward),)
        return word_events(self.action, self.events, self.report) if told else self.feedback


class Episode(NamedTuple):
    """The state of an episode after its steps. Immutable: `advance` gives the next one.

    At step `decided_at` the first remediation was made after which evidence counts no more. `losses` are what users
    lose from the answer on, where that was measured. `withheld`: it is over, and its grade has
    been taken out (see `withhold`).
    """

    id: str
    reference: Reference
    incident: Incident
    task: Task
    course: Course
    incarnation: str = ""
    steps: tuple[Step, ...] = ()
    shown: Mapping[Item, Evidence] = MappingProxyType({})
    seen: frozenset[Item] = frozenset()
    decided_at: int | None = None
    effective: frozenset[str] = frozenset()
    attempted: frozenset[str] = frozenset()
    wrong: int = 0
    recovery_seen: bool = False
    cumulative: int = 0
    grade: Grade | None = None
    losses: Losses | None = None
    truncated: bool = False
    withheld: bool = False

    @property
    def done(self) -> bool:
        return self.grade is not None or self.withheld

    @property
    def investigating(self) -> bool:
        """Whether evidence that is seen now counts as found beforehand."""
        return self.decided_at is None

    @property
    def is_proved(self) -> bool:
        """Whether the explanations of its alert are counted that looks have ruled out."""
        return self.incident.know(self.task.id, ()).start > 0

    @property
    def step_count(self) -> int:
        return len(self.steps)

    @property
    def cumulative_reward(self) -> float:
        return to_reward(self.cumulative)

    @property
    def last(self) -> Step | None:
        return self.steps[-1] if self.steps else None


def begin(episode_id: str, reference: Reference, scenario: Scenario, incarnation: str = "") -> Episode:
    """An episode before its first step. The incarnation tells it from others that had its id."""
    incident = scenario.incident
    return Episode(episode_id, reference, incident, scenario.task, incident.begin(), incarnation)


def replay(
    episode_id: str, reference: Reference, actions: Iterable[Mapping[str, Any]], catalogue: Catalogue
) -> Iterator[Episode]:
    """The episode before the first of some dumped actions and after every one.

    Raises:
        StaleReferenceError: if the reference no longer means what it meant.
        InvalidActionError: if an action would have been refused.
    """
    episode = begin(episode_id, reference, reference.resolve(catalogue))
    yield episode
    for action in actions:
        episode = advance(episode, parse_action(action["action_type"], action["parameters"]))
        yield episode


def withhold(episode: Episode) -> Episode:
    """The episode as its own agent may see it: where the debrief is for the harness, without what tells the score."""
    if episode.grade is None or episode.reference.debrief == "agent":
        return episode
    steps, cumulative = episode.steps, episode.cumulative
    if not episode.truncated:  # the last step is the submission, and its reward is the score
        *before, last = steps
        steps = (*before, last._replace(events=(), reward=0, feedback="Submitted."))
        cumulative -= last.reward
    return episode._replace(steps=steps, cumulative=cumulative, grade=None, losses=None, withheld=True)


def advance(episode: Episode, action: Action) -> Episode:
    """The episode after one more step. A finished episode cannot be advanced; the caller checks `done`.

    Raises:
        InvalidActionError: if the action is a slip, which costs nothing: the submission of another task, a service in a
            submission that does not exist, a runbook step that does not, or one without the target that it needs.
        ListingError: if it asks which steps the runbook has.
    """
    if episode.done:
        raise ValueError("a finished episode cannot be advanced")
    is_last = episode.step_count + 1 >= episode.task.max_steps
    waits = episode.reference.reward_mode == "terminal" and episode.course.is_judged_by_runs
    if isinstance(action.declaration, Diagnostic | Remediation):
        return _act(_judge_all(episode) if waits and is_last else episode, action, judged=is_last or not waits)
    _refuse_unfit_submission(episode, action)
    return _submit(_judge_all(episode) if waits else episode, action)


def _act(episode: Episode, action: Action, *, judged: bool) -> Episode:
    declaration = action.declaration
    if not isinstance(declaration, Remediation):
        return _look(episode, action)
    if declaration.target is RUNBOOK_STEP:
        _refuse_unfit_runbook_step(episode.course, action)
    return _remedy(episode, action, declaration, judged=judged)


def _judge_all(episode: Episode) -> Episode:
    """The episode with every remediation judged. Where nothing is told of it before the end, that waits for the end."""
    incident = episode.incident
    first = Episode(episode.id, episode.reference, incident, episode.task, incident.begin(), episode.incarnation)
    return reduce(lambda before, step: _act(before, step.action, judged=True), episode.steps, first)


def _refuse_unfit_submission(episode: Episode, action: Action) -> None:
    own, services = episode.task.submission, episode.incident.services
    if action.name != own.name:
        raise InvalidActionError(
            f"{action.name} belongs to another task; {episode.task.id} ends with {own.name}. Nothing was changed."
        )
    service = getattr(action.parameters, SERVICE.parameter, "")
    if service and service not in services:
        raise InvalidActionError(f"{_explain_unknown(SERVICE, service, services)} Nothing was changed.")


def _refuse_unfit_runbook_step(course: Course, action: Action) -> None:
    step, known = action.target, course.runbook
    if step == ASK_FOR_LIST:
        raise ListingError(f"{_RUNBOOK}\n{list_runbook_steps(known)}")
    if step not in known:
        raise InvalidActionError(f"{_explain_unknown(RUNBOOK_STEP, step, known)} Nothing was changed.")
    target, valid = find_step_target(action), course.list_targets(step)
    if valid is None and target:
        raise InvalidActionError(f"{step} takes no `target` here; leave it out. Nothing was changed.")
    # Names are read in small letters, and rules are written with capitals.
    if valid is not None and target not in [name.lower() for name in valid]:
        needs = known[step].needs
        said = f"There is no {needs} {target!r}." if target else f"{step} needs a `target`, a {needs}."
        names = f"Valid: {', '.join(valid)}." if valid else f"There is no {needs} here."
        raise InvalidActionError(" ".join(filter(None, (said, suggest(target, valid), names, "Nothing was changed."))))


def find_step_target(action: Action) -> str:
    """What a step of the runbook is to be applied to; nothing for other remediations."""
    return str(getattr(action.parameters, "target", ""))


def _explain_unknown(target: Target, name: str, known: Collection[str]) -> str:
    """What to say of a name that does not exist. Those that do are told unless they are to be found in evidence."""
    said = f"There is no {target.noun} {name!r}."
    closest = suggest(name, known) if target is not FLAG else ""
    hint = target.hint or f"Known {target.noun}s: {', '.join(known)}."
    return " ".join(filter(None, (said, closest, hint)))


def _look(episode: Episode, action: Action) -> Episode:
    service, incident = action.target, episode.incident
    if service not in incident.services:
        message = _explain_unknown(SERVICE, service, incident.services)
        events: Events = (("unknown_service", episode.task.rewards.unknown_service),)
        return _record_step(episode, action, events, error=message, error_code="unknown_service")
    item = (action.name, service)
    evidence, course = episode.course.look(action.name, service)
    hasty = episode.course.is_hasty(item)
    events = reward_query(episode.task.rewards, item, evidence, episode.shown, hasty=hasty)
    recovered = course.shows_recovery(item, evidence)
    counted = episode.course.count_sighting(item) if episode.investigating else _NOTHING
    return _record_step(
        episode,
        action,
        events,
        evidence=evidence,
        course=course,
        shown={**episode.shown, item: evidence},
        seen=episode.seen | counted,
        recovery_seen=episode.recovery_seen or recovered,
        recovered=recovered,
        counted=counted,
    )


def _remedy(episode: Episode, action: Action, remediation: Remediation, *, judged: bool) -> Episode:
    replicas = getattr(action.parameters, "replicas", None)
    remedy = Remedy(action.name, action.target, replicas, find_step_target(action))
    entry = episode.course.runbook.get(remedy.target) if remediation.target is RUNBOOK_STEP else None
    verifies = entry is not None and (entry.verify or entry.waits > 0)
    outcome, course, report, acts = (
        episode.course.remedy(remedy, verifies=verifies, judged=judged)
        if episode.task.remediates
        else Remedied(Outcome.WRONG, episode.course)
    )
    if entry is not None and entry.waits and episode.task.remediates:
        return _record_step(episode, action, WATCHED, course=course, report=report)
    error = _explain_unknown_target(episode, remediation.target, action.target)
    events = reward_remediation(episode.task.rewards, outcome, verifies=verifies, known=error is None)
    decides = (acts or not _still_investigating(episode.task, outcome)) and not course.has_open_causes
    return _record_step(
        episode,
        action,
        events,
        error=error,
        error_code=None if error is None else "unknown_target",
        outcome=outcome,
        report="" if error else report,
        course=course,
        decided_at=episode.step_count + 1 if episode.investigating and decides else episode.decided_at,
        effective=episode.effective | {remedy.step} if outcome is Outcome.EFFECTIVE else episode.effective,
        attempted=episode.attempted | {remedy.step},
        wrong=episode.wrong + (outcome is Outcome.WRONG),
    )


def _explain_unknown_target(episode: Episode, target: Target, name: str) -> str | None:
    """What to say of a remediation whose target does not exist; it counts as wrong like any other."""
    incident = episode.incident
    existing = {SERVICE: incident.services, FLAG: incident.flags, RUNBOOK_STEP: episode.course.runbook}[target]
    return None if name in existing else _explain_unknown(target, name, existing)


def _still_investigating(task: Task, outcome: Outcome) -> bool:
    """Whether evidence seen after a remediation still counts as found beforehand."""
    return task.asks_repair and outcome is not Outcome.EFFECTIVE


def _submit(episode: Episode, action: Action) -> Episode:
    graded = grade(episode.task, episode.incident.truth, _record_conduct(episode, action))
    reward = round(graded.score * POINT)
    step = Step(
        episode.step_count + 1,
        action,
        ((SCORE, reward),),
        reward,
        f"Submitted. Final score {graded.score:.4f}.",
    )
    return episode._replace(
        steps=(*episode.steps, step),
        cumulative=episode.cumulative + reward,
        grade=graded,
        losses=episode.course.find_losses() if episode.task.asks_repair else None,
    )


def _record_step(
    episode: Episode,
    action: Action,
    events: Events,
    *,
    error: str | None = None,
    error_code: str | None = None,
    evidence: Evidence | None = None,
    outcome: Outcome | None = None,
    report: str = "",
    recovered: bool = False,
    counted: frozenset[Item] = frozenset(),
    **changes: Any,
) -> Episode:
    """Write down a step that is not the task's submission, with what else it changes in the episode."""
    number = episode.step_count + 1
    events = (*events, *reward_lateness(episode.task, number))
    out_of_time = number >= episode.task.max_steps
    dense = episode.reference.reward_mode == "dense"
    reward = sum_events(events) if dense else 0
    said = word_feedback(
        action,
        events,
        outcome,
        dense=dense,
        out_of_time=out_of_time,
        first_late=is_first_late(episode.task, number),
        report=report,
    )
    told = (events if dense else (), reward, said, error, error_code)
    step = Step(number, action, *told, evidence, outcome, report, recovered, counted)
    if out_of_time:
        changes |= {"truncated": True, "grade": _grade_unsubmitted(episode._replace(**changes))}
    return episode._replace(**changes, steps=(*episode.steps, step), cumulative=episode.cumulative + reward)


def _grade_unsubmitted(episode: Episode) -> Grade:
    return grade(episode.task, episode.incident.truth, _record_conduct(episode, None))


def _record_conduct(episode: Episode, submission: Action | None) -> Conduct:
    incident, task = episode.incident, episode.task
    repairs = submission is not None and task.asks_repair
    achieved = episode.course.measure(episode.effective) if repairs else Achieved(Fraction(0))
    return Conduct(
        submission=submission.parameters if submission else None,
        steps=episode.step_count + 1,
        pace=incident.pace(task),
        known=incident.know(task.id, episode.seen),
        achieved=achieved,
        plan=episode.course.steps,
        effective=episode.effective,
        attempted=episode.attempted,
        wrong=episode.wrong,
        verified=episode.recovery_seen and achieved.share == 1 and not (achieved.calm and episode.wrong),
        services=incident.services,
        flags=incident.flags,
        runbook=[name for name, entry in episode.course.runbook.items() if not entry.waits],
        shown=tuple(step.evidence for step in episode.steps if step.evidence is not None),
    )
