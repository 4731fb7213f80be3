"""The incident protocol: what an episode needs to know of an incident, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from scenarios.evidence import Evidence
    from scenarios.library import RunbookStep
    from scenarios.progress import Outcome, Plan, PlanStep, Progress, Remedy
    from scenarios.vocabulary import Severity, Task, TaskId

Item = tuple[str, str]
"""A piece of evidence: (diagnostic, service)."""

Certificate = frozenset[Item]
"""An inclusion-minimal set of evidence from which the cause follows."""


class Lookalike(NamedTuple):
    """A failure as `Truth` has it: its ideas, the failure families that it shows, and its fault family."""

    concepts: tuple[tuple[str, ...], ...]
    families: frozenset[str]
    fault: str = ""


class Calm(NamedTuple):
    """What is told of an incident in which nothing is to be repaired: what `paged`, its rule first, and why.

    `is_over` says that it has ended by itself; else nobody has felt it.
    """

    paged: tuple[str, ...]
    is_over: bool


class Known(NamedTuple):
    """How much of what shows the cause was seen, 0 to 1, and which share of the points for few steps that opens.

    Where explanations of the alert are counted, so many (`left`) of so many at the `start` are left; else both are 0.
    Of an incident with two causes, `causes` are these two numbers for each.
    """

    share: Fraction
    opens: Fraction
    start: int = 0
    left: int = 0
    causes: tuple[tuple[int, int], ...] = ()


class Explanation(NamedTuple):
    """A failure that would have raised the same alert, and a look that excludes it. Without a service nothing failed.

    `failure` says in a few words what failed.
    """

    service: str
    failure: str
    excluded_by: Item


class Aside(NamedTuple):
    """Something about a service that is no part of an incident, in a sentence."""

    service: str
    text: str


class Account(NamedTuple):
    """What is told when an incident is over, beside its truth.

    `chain` is what happened, in sentences, oldest first. `beside` are troubles of other services at the same time, and
    `changes` what was changed there and did no harm. `calm` says in a sentence why nothing was to be repaired; it is
    empty where something was.
    """

    chain: tuple[str, ...]
    beside: tuple[Aside, ...] = ()
    changes: tuple[Aside, ...] = ()
    calm: str = ""


class Pace(NamedTuple):
    """The steps of a task: `fewest` would have been enough, so many are `free`, and each beyond takes 1/`decay`."""

    fewest: int
    free: int
    decay: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What is to be found out.

    `concepts` are groups of synonyms, each group one idea that a right failure mode affirms. `families` are the
    failure families that the incident itself shows: its cause and its declared consequences. `answer` is a good
    failure mode in one sentence, where there is one. `spread` are pairs of a service in trouble and one that suffers
    from it, from the root cause outwards. `symptoms` are failure families that some component truly shows without being
    the cause: to name one costs nothing. `calm` is there where nothing is to be repaired.
    `alike` are other failures that nobody could tell from the true one: a text
    that says one of those is as right. `fault` is the fault family whose failure may also be told by the nearness of
    all words; empty if the ideas alone decide. `second` is the other cause, of an incident that has two.
    """

    severity: Severity
    service: str
    concepts: tuple[tuple[str, ...], ...]
    families: frozenset[str]
    answer: str = ""
    spread: tuple[tuple[str, str], ...] = ()
    symptoms: frozenset[str] = frozenset()
    calm: Calm | None = None
    alike: tuple[Lookalike, ...] = ()
    fault: str = ""
    second: Truth | None = None

    @property
    def causes(self) -> tuple[Truth, ...]:
        """All that is to be found out, by cause."""
        return (self,) if self.second is None else (self, self.second)

    def list_failures(self) -> list[Truth]:
        """The truth, and it again with each failure that looks the same as its failure."""
        others = (
            replace(self, concepts=other.concepts, families=self.families | other.families, alike=(), fault=other.fault)
            for other in self.alike
        )
        return [self, *others]


class Achieved(NamedTuple):
    """Which share of what could be repaired is, 0 to 1: of the steps of a plan, or of what users could be saved.

    Where it was `calm`, nothing was to be repaired: it is all, or nothing if users are worse off by what was done.
    """

    share: Fraction
    by_outcome: bool = False
    calm: bool = False


class Losses(NamedTuple):
    """What users lose over so many `minutes` from the answer on, in minutes in which nobody is served.

    `actual` as things were left, with `nothing` done at all, and with the `best` repair begun at that moment.
    """

    minutes: int
    actual: float
    nothing: float
    best: float


class LossCurve(NamedTuple):
    """What users lose: the `shares` of all worth that are not served, 0 to 1, and all of it in minutes of nobody."""

    shares: tuple[float, ...]
    lost: float


class OrderedAt(NamedTuple):
    """A remediation, and the moment at which it was ordered."""

    at: str
    operation: str
    target: str


class LossCurves(NamedTuple):
    """What users lost from shortly before the page until nothing is judged any more, three times on the same noise.

    `actual` is with what was `ordered`, `nothing` with nothing done, and `best` with the accepted `repair` begun at the
    first look. Each share is the mean of so many `minutes`; the first begins `since`. Moments are as evidence has them.
    """

    since: str
    minutes: int
    actual: LossCurve
    nothing: LossCurve
    best: LossCurve
    repair: tuple[str, ...]
    fault_at: str
    page_at: str
    first_look_at: str
    ended_at: str
    ordered: tuple[OrderedAt, ...]


class Remedied(NamedTuple):
    """What came of a remediation, and the course after it.

    `report` says what was done and what it did at once, and nothing of its merit; it is empty where the rules word
    what came of it. It `acts_on_cause` if who does it has chosen what to believe, effective or not.
    """

    outcome: Outcome
    course: Course
    report: str = ""
    acts_on_cause: bool = False


class Course(Protocol):
    """How far an incident has gone. It does not change: what is done about the incident gives the next one."""

    @property
    def alert(self) -> Mapping[str, Any]:
        """The alert as it stands now."""

    @property
    def is_played(self) -> bool:
        """Whether looking and remedying let a system run, which takes some 10 ms for each minute of it."""

    @property
    def runbook(self) -> Mapping[str, RunbookStep]:
        """The steps of the runbook that there are, by name."""

    def list_targets(self, step: str) -> tuple[str, ...] | None:
        """What a step of the runbook can be applied to; None if it takes no target."""

    def look(self, diagnostic: str, service: str) -> tuple[Evidence, Course]:
        """What a diagnostic shows of a known service now, and the course after it."""

    def is_hasty(self, item: Item, /) -> bool:
        """Whether some evidence was looked at a short time ago; nothing was done and no page has changed since."""

    def count_sighting(self, item: Item, /) -> frozenset[Item]:
        """What `Incident.know` takes a look now for: itself, or, of two causes, evidence of those not acted on yet."""

    @property
    def has_open_causes(self) -> bool:
        """Whether evidence counts still, although something was done about the cause: there is another one."""

    @property
    def is_judged_by_runs(self) -> bool:
        """Whether a remediation is judged by letting the system run on, which takes a second or some."""

    def remedy(self, remedy: Remedy, *, verifies: bool, judged: bool = True) -> Remedied:
        """What a remediation does now, and the course after it.

        `verifies` says that the remedy is a step of the catalogue that only verifies. One that is not to be `judged` by
        runs counts as neutral.
        """

    def shows_recovery(self, item: Item, evidence: Evidence, /) -> bool:
        """Whether all repairs are done, and evidence that was shown last shows what they have changed."""

    @property
    def steps(self) -> tuple[PlanStep, ...]:
        """What is to be done: the plan, or, where what is achieved counts, what was effective so far."""

    def measure(self, effective: frozenset[str]) -> Achieved:
        """What is repaired now, after some steps that were effective."""

    def find_losses(self) -> Losses | None:
        """What users will lose from now on; None where nobody is served or not."""

    @property
    def is_traced(self) -> bool:
        """Whether `trace_losses` is at hand; it takes a second or some."""

    def trace_losses(self) -> LossCurves | None:
        """What users lost minute by minute if the episode ends now; None where nobody is served or not."""

    @property
    def harms(self) -> tuple[str, ...]:
        """What was made worse so far, in sentences."""


class Incident(Protocol):
    """One incident, reactive to what is done about it and free of chance."""

    @property
    def id(self) -> str: ...

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the content. An episode remembers it and is refused when it no longer matches."""

    @property
    def scenarios(self) -> Mapping[TaskId, str]:
        """The scenario id of each task set on this incident."""

    @property
    def proved(self) -> bool:
        """Whether it has been shown that its cause can be told and repaired. Otherwise a score of it says less."""

    @property
    def summary(self) -> str: ...

    @property
    def alert(self) -> Mapping[str, Any]:
        """The alert as JSON, Alertmanager-like, with `severity`, `symptoms` and `affected_services`."""

    @property
    def services(self) -> tuple[str, ...]:
        """Every known service, alphabetically."""

    @property
    def flags(self) -> frozenset[str]:
        """Every feature flag that can be known of the incident."""

    @property
    def truth(self) -> Truth: ...

    @property
    def account(self) -> Account:
        """What is told at the end. Where a system runs it takes a second or less, once; for scores it is not needed."""

    @property
    def accounted(self) -> bool:
        """Whether the account is at hand."""

    @property
    def plan(self) -> Plan: ...

    def certificates(self, task: TaskId) -> tuple[Certificate, ...]:
        """All certificates for a task, the smallest first. Empty where the task needs none."""

    def know(self, task: TaskId, seen: Collection[Item]) -> Known:
        """What somebody knows of the cause who has seen some evidence."""

    def explain(self, task: TaskId, seen: Collection[Item], looked_at: Collection[str]) -> tuple[Explanation, ...]:
        """The explanations other than the truth that somebody has left who has seen some evidence.

        They are named where `know` counts them. Of the looks that exclude one, those at services that were `looked_at`
        are preferred.
        """

    def pace(self, task: Task) -> Pace:
        """How many steps a task is worth on it."""

    def evidence(self, diagnostic: str, service: str, progress: Progress) -> Evidence:
        """What a diagnostic shows of a known service after the given progress."""

    def begin(self) -> Course:
        """The course before anything is done."""


WATCH_SECONDS = 300
"""How long who waits lets pass in one step."""
MOST_WAITS = 6
"""How often somebody waits so until users are seen served again, and gives up then."""
DECAY_STEPS = 5
"""Where a certificate says which steps are enough, the points for few steps fall to 0 over so many more."""
DIAGNOSIS_DECAY, REPAIR_DECAY = 6, 8
"""Over so many they do on proved incidents that run, in root_cause_analysis and in remediation_planning."""
CONFIRMING_STEPS = 2
"""Looks more than an honest searcher takes that cost nothing there: it is sensible to make sure."""


def measure_plan(plan: Plan, effective: frozenset[str]) -> Achieved:
    """The share of the steps of a plan that were done in their place."""
    return Achieved(Fraction(len(effective), len(plan.steps)) if plan.steps else Fraction(0))


def know_by_certificates(certificates: Collection[Certificate], seen: Collection[Item]) -> Known:
    """The largest share of any one certificate that was seen. Points for few steps are for a whole one."""
    shares = (Fraction(sum(item in seen for item in each), len(each)) for each in certificates)
    share = max(shares, default=Fraction(1))
    return Known(share, Fraction(share == 1))


def pace_by_certificates(incident: Incident, task: Task) -> Pace:
    """The steps of who knows the smallest certificate and the plan; no other is free."""
    fewest = count_fewest_steps(incident, task)
    return Pace(fewest, fewest, DECAY_STEPS)


def count_fewest_steps(incident: Incident, task: Task) -> int:
    """The fewest steps in which a task can be done on an incident.

    They are evidence, plan, waits, a look at the recovery, and the answer.
    """
    certificates = incident.certificates(task.id)
    smallest = len(certificates[0]) if certificates else 0
    repair = len(incident.plan.steps) + incident.plan.waits + 1 if task.asks_repair else 0
    return smallest + repair + 1
