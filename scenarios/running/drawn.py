"""Incidents that generator 2 draws: a system, the fault that strikes it, and what its proof says, if it has one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from scenarios.drawing import draw
from scenarios.faults import FAMILIES, strike
from scenarios.generator.dice import key_of
from scenarios.generator.library import families
from scenarios.generator.naming import RUNNING_VERSION, region_of
from scenarios.incident import (
    CONFIRMING_STEPS,
    DIAGNOSIS_DECAY,
    REPAIR_DECAY,
    Calm,
    Known,
    Lookalike,
    Pace,
    Truth,
    know_by_certificates,
)
from scenarios.progress import Pause, Plan
from scenarios.proofs.calm import ENDING
from scenarios.proofs.knowledge import find_knowledge
from scenarios.proofs.proving import ANSWERED_AFTER, LONGEST_WAIT, SPARE_STEPS
from scenarios.proofs.second import hides, list_joint_certificates
from scenarios.proofs.severity import JUDGED_SECONDS, list_worths, rate_severity
from scenarios.running.accounting import recount
from scenarios.running.document import RunningDocument
from scenarios.running.explaining import list_explanations
from scenarios.running.incident import NobodyPagedError, RunningIncident
from scenarios.running.judging import Judge
from scenarios.running.planning import plan_deed
from scenarios.running.serving import Serving
from scenarios.running.shared import SharedRuns
from scenarios.running.wording import CALM, word_failure
from scenarios.vocabulary import (
    ALERT_CLASSIFICATION,
    REMEDIATION_PLANNING,
    ROOT_CAUSE_ANALYSIS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from scenarios.drawing import Draw
    from scenarios.faults import Fault
    from scenarios.incident import Account, Certificate, Explanation, Item
    from scenarios.progress import PlanStep
    from scenarios.proofs.operating import Deed
    from scenarios.proofs.proof import Proof
    from scenarios.running.abreast import Ahead
    from scenarios.vocabulary import Severity, Task, TaskId

_WAITS = 1
"""After a repair that holds users are served again within some minutes: nobody loses by one `watch`."""
_DECAYS = {ROOT_CAUSE_ANALYSIS: DIAGNOSIS_DECAY, REMEDIATION_PLANNING: REPAIR_DECAY}
_RECOVERY_STEPS = 1
"""A look at the recovery."""
MOST_ATTEMPTS = 12
"""Draws that are tried for a seed until somebody is paged."""


class DrawnStory:
    """What a draw and its proof say. Without a proof there is no plan, and one look at the root is all evidence."""

    def __init__(self, drawn: Draw, proof: Proof | None) -> None:
        self._drawn = drawn
        self._proof = proof

    @property
    def digest(self) -> str:
        proof = None if self._proof is None else self._proof.model_dump(mode="json")
        parts = [self._drawn.fault.model_dump(mode="json"), proof, _write_words(self._drawn.fault.family)]
        if self._drawn.second is not None:
            parts += [self._drawn.second.model_dump(mode="json"), _write_words(self._drawn.second.family)]
        written = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()

    @property
    def verifies(self) -> bool:
        return False

    @property
    def proved(self) -> bool:
        return self._proof is not None

    @property
    def plan(self) -> Plan:
        if self._proof is None:
            return Plan()
        second, pause = self._proof.second, None
        if second is not None and hides(self._proof):
            steps = frozenset(self._plan_deed(deed).step for deed in second.operations)
            pause = Pause(steps, frozenset(second.later_certificates[0]))
        stages = tuple(tuple(self._plan_deed(deed) for deed in stage) for stage in self._proof.stages)
        return Plan(stages, waits=_WAITS, pause=pause)

    def _plan_deed(self, deed: Deed) -> PlanStep:
        # Only what was struck has instances that are missing.
        struck_by = [FAMILIES[fault.family] for fault in self._drawn.faults if fault.component == deed[1]]
        lost = any(shift.what == "removed" for family in struck_by for shift in family.shifts)
        return plan_deed(self._drawn.background, deed, lost=lost)

    def tell(self, incident: RunningIncident) -> Truth:
        run = incident.runs.get((), incident.fired + JUDGED_SECONDS)
        severity, proof = rate_severity(run, incident.fired), self._proof
        truth = _tell_cause(self._drawn.fault, () if proof is None else proof.alike, severity, incident.symptoms)
        truth = replace(truth, calm=self._tell_calm(incident))
        if self._drawn.second is None or proof is None or proof.second is None:
            return truth
        second = _tell_cause(self._drawn.second, proof.second.alike, severity, incident.symptoms | truth.families)
        return replace(truth, symptoms=incident.symptoms | second.families, second=second)

    def recount(self, incident: RunningIncident) -> Account:
        account = recount(incident, self._drawn, self._without.get((), incident.first_look))
        calm = None if self._proof is None else self._proof.calm
        return account if calm is None else account._replace(calm=CALM[calm])

    def _tell_calm(self, incident: RunningIncident) -> Calm | None:
        if self._proof is None or self._proof.calm is None:
            return None
        page = incident.alert["name"]
        rule = next(rule for rule in incident.system.alerts if rule.name == page)
        paged = dict.fromkeys((page, *incident.alert["affected_services"], *rule.journeys))
        return Calm(tuple(paged), is_over=self._proof.calm in ENDING)

    @cached_property
    def _without(self) -> SharedRuns:
        """The runs of the system without its fault."""
        return SharedRuns(self._drawn.background)

    def certificates(self, task: TaskId) -> tuple[Certificate, ...]:
        if task == ALERT_CLASSIFICATION.id:
            entry = self._drawn.background.journeys[0].entry.partition("/")[0]
            return (frozenset({("check_metrics", entry)}),)
        if self._proof is not None:
            joint = list_joint_certificates(self._proof)
            return joint or tuple(frozenset(items) for items in self._proof.certificates)
        root = self._drawn.fault.component
        return (frozenset({("query_logs", root), ("check_metrics", root)}),)

    def know(self, task: TaskId, seen: Collection[Item]) -> Known:
        if self._proof is None or task == ALERT_CLASSIFICATION.id:
            return know_by_certificates(self.certificates(task), seen)
        found = find_knowledge(self._proof, seen)
        causes = tuple((each.left, each.start) for each in found.causes)
        return Known(found.share, max(Fraction(0), 2 * found.share - 1), found.start, found.left, causes)

    def explain(self, task: TaskId, seen: Collection[Item], looked_at: Collection[str]) -> tuple[Explanation, ...]:
        if self._proof is None or task == ALERT_CLASSIFICATION.id:
            return ()
        return list_explanations(self._proof, self._drawn.background, seen, looked_at)

    def find_judge(self, incident: RunningIncident) -> Judge | None:
        if self._proof is None:
            return None
        drawn, second = self._drawn, self._proof.second
        root = drawn.fault.component
        struck_at, runs = drawn.fault.at, incident.runs
        if drawn.second is None or second is None:
            return Judge(incident.digest, drawn.background, root, self._proof, struck_at, runs, self._without)
        alone = [SharedRuns(strike(drawn.background, fault)) for fault in drawn.faults]
        serving, other = Serving(self._proof, second, alone), drawn.second.component
        return Judge(
            incident.digest, drawn.background, root, self._proof, struck_at, runs, self._without, serving, other
        )

    def pace(self, task: Task) -> Pace | None:
        if self._proof is None or task not in _DECAYS:
            return None
        repair = self._proof.longest + _RECOVERY_STEPS if task.asks_repair else 0
        # Who excludes each explanation by a look of its own may need more than a task has.
        second = self._proof.second
        looks = self._proof.searcher + (0 if second is None else second.searcher)
        fewest = min(looks + repair + 1, task.max_steps - SPARE_STEPS)
        return Pace(fewest, min(fewest + CONFIRMING_STEPS, task.max_steps - 1), _DECAYS[task])


def _tell_cause(fault: Fault, alike: Collection[str], severity: Severity, symptoms: frozenset[str]) -> Truth:
    words = families()[fault.family].words
    return Truth(
        severity=severity,
        service=fault.component,
        concepts=tuple(tuple(group) for group in words.concepts),
        families=frozenset(words.families),
        answer=f"{fault.component}: {word_failure(fault.family)}",
        alike=tuple(_tell_failure(name) for name in alike),
        symptoms=symptoms,
        fault=fault.family,
    )


def _write_words(family: str) -> dict[str, object]:
    """What is said of a family, as a digest takes it."""
    return families()[family].words.model_dump(mode="json") | {"said": FAMILIES[family].answer}


def _tell_failure(name: str) -> Lookalike:
    words = families()[name].words
    return Lookalike(tuple(tuple(group) for group in words.concepts), frozenset(words.families), name)


def find_felt(
    seed: int,
    difficulty: int,
    incident_id: str,
    scenario_ids: Mapping[TaskId, str],
    proof: Proof | None,
    ahead: Ahead | None = None,
) -> RunningIncident:
    """The incident of a seed, played up to the first look: of the first draw in which somebody is paged for it.

    `ahead` is the first draw, if that was played already.

    Raises:
        NobodyPagedError: if nobody is in any of the draws that are tried.
    """
    for attempt in range(MOST_ATTEMPTS):
        again = seed if attempt == 0 else key_of(RUNNING_VERSION, "attempt", seed, attempt)
        known = ahead if attempt == 0 else None
        drawn = draw(again, difficulty, split=region_of(seed)) if known is None else known.drawn
        document, story = _write_document(drawn, incident_id, scenario_ids, proof), DrawnStory(drawn, proof)
        try:
            incident = RunningIncident(document, drawn.system, story, None if known is None else known.runs)
        except NobodyPagedError:
            continue
        if incident.fired >= drawn.fault.at:
            return incident
    raise NobodyPagedError(f"{incident_id}: nobody is paged in {MOST_ATTEMPTS} draws")


def _write_document(
    drawn: Draw, incident_id: str, scenario_ids: Mapping[TaskId, str], proof: Proof | None
) -> RunningDocument:
    # An answer to the others names one cause, or none.
    tasks = [ALERT_CLASSIFICATION.id, ROOT_CAUSE_ANALYSIS.id] if drawn.second is None else []
    if proof is not None:
        tasks.append(REMEDIATION_PLANNING.id)
    return RunningDocument(
        incident=incident_id,
        after="",
        system=drawn.system.name,
        scenarios={task: scenario_ids[task] for task in tasks},
        summary=f"A page has come in. {list_worths(drawn.background.journeys)}",
        chain=(),
        longest_minutes=(int(drawn.fault.at) + LONGEST_WAIT) // 60 + 1,
        answered_after=ANSWERED_AFTER,
        returns_minutes=None,
    )
