"""Checks what is earned without the work: by cheats, by dishonest trajectories, and by simple rules."""

from __future__ import annotations

from statistics import correlation, fmean
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.bounds import BoundedFigure, check_at_least, check_at_most, check_rate
from cloud_incident.evaluation.audit.check import (
    Check,
    CheckGroup,
    CheckResult,
    Measurement,
    judge_figures,
    require_no_problems,
)
from cloud_incident.evaluation.audit.exploits import list_cheat_plays
from cloud_incident.evaluation.running import get_score, play_actions
from env_core.perfect import answer_perfectly
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext
    from cloud_incident.evaluation.running import Trajectory
    from scenarios.incident import Incident
    from scenarios.vocabulary import TaskId

LEAST_GAP = 0.05
"""The least difference between the mean scores of the responder and of the best cheat."""
LEAST_CORRELATION = 0.7
"""The least correlation between scores and whether the task was truly done."""
GUESSING = (0.5, 2.0)
"""How often a simple rule may be right, as multiples of guessing. A rule that is never right would be a clue too."""
HARD = (4, 5)
"""The difficulties at which simple rules are judged."""

_HONEST = "responder"
_ALL = ("oracle", "responder", "novice", "random")
_EFFECTIVE = ("effective_remediation", "passed_verification")


class GamingFigures(NamedTuple):
    """The figures of one incident.

    `scores` (0.0 to 1.0) and `done`, whether the task was truly done, are by task and agent. `canaries` are the cheats
    above their ceilings. `rules` says which simple rules named the root, among so many `services`.
    """

    scores: dict[TaskId, dict[str, float]]
    done: dict[TaskId, dict[str, bool]]
    canaries: list[str]
    rules: dict[str, bool]
    services: int


class GamingChecks(CheckGroup[GamingFigures]):
    """Canaries, adversarial floor, gameability gap, naive rules."""

    specs = (
        Check(
            "semantic.canary_floor",
            "Trajectories known to be dishonest (soup on the right service, the plan backwards, boasts) stay under "
            "their ceilings on every scenario",
            "each under its own: 0.20, of right fixes too early or backwards 0.35",
        ),
        Check(
            "statistical.adversarial_floor",
            "The mean score of everyone who tries to score without the work stays under the ceiling",
            "the ceilings of the curated scenarios: 0.67 in alert_classification, 0.20 elsewhere",
        ),
        Check(
            "statistical.gameability_gap",
            "Honest work pays: the responder earns more than the best cheat, and scores go with tasks truly done",
            f"{LEAST_GAP} more or more in every task; correlation {LEAST_CORRELATION} or more",
        ),
        Check(
            "generator.naive_rules",
            f"At difficulty {HARD[0]} and {HARD[1]} each naive rule names the root about as often as guessing does",
            f"{GUESSING[0]} to {GUESSING[1]} times chance",
        ),
    )

    def measure(self, case: Case) -> GamingFigures:
        names = [*_ALL, *case.bench.world.list_exploits()]
        hard = case.specimen.difficulty in HARD
        root = case.incident.truth.service
        return GamingFigures(
            case.collect_scores(names),
            {
                task_id: {name: _is_task_done(case.play(name, task_id), case.incident) for name in names}
                for task_id in case.scenarios
            },
            [
                f"{scenario.id}: {cheat.name} earns {earned:.4f} over {cheat.ceiling}"
                for scenario in case.scenarios.values()
                for cheat in list_cheat_plays(scenario)
                if (earned := get_score(play_actions(scenario, cheat.actions))) > cheat.ceiling
            ],
            {name: rule(case.incident) == root for name, rule in case.bench.world.list_rules().items()} if hard else {},
            len(case.incident.services),
        )

    def judge(self, found: Sequence[Measurement[GamingFigures]], context: AuditContext) -> Iterator[CheckResult]:
        canary, floor, gap, rules = self.specs
        yield require_no_problems(
            canary, [finding for measurement in found for finding in measurement.value.canaries], len(found)
        )
        yield self._judge_floor(floor, found, context)
        yield self._judge_gap(gap, found, context)
        yield self._judge_rules(rules, [measurement for measurement in found if measurement.value.rules])

    def _judge_floor(
        self, spec: Check, found: Sequence[Measurement[GamingFigures]], context: AuditContext
    ) -> CheckResult:
        measured: dict[str, float | int | str] = {}
        figures = []
        for task_id in context.sample.tasks:
            highest = ("", -1.0)
            for name, (_, ceilings) in context.world.list_exploits().items():
                bounded = check_at_most(
                    _collect_scores(found, task_id, name), ceilings.get(task_id), f"{task_id}: {name}"
                )
                highest = max(highest, (name, bounded.value), key=lambda pair: pair[1])
                figures.append(bounded)
            measured[f"{task_id}, {highest[0]}"] = round(highest[1], 4)
        return judge_figures(spec, measured, figures)

    def _judge_gap(
        self, spec: Check, found: Sequence[Measurement[GamingFigures]], context: AuditContext
    ) -> CheckResult:
        measured: dict[str, float | int | str] = {}
        figures = []
        for task_id in context.sample.tasks:
            best = max(context.world.list_exploits(), key=lambda name: fmean(_collect_scores(found, task_id, name)))
            honest, cheating = _collect_scores(found, task_id, _HONEST), _collect_scores(found, task_id, best)
            gaps = [earned - cheated for earned, cheated in zip(honest, cheating, strict=True)]
            bounded = check_at_least(gaps, LEAST_GAP, f"{task_id}: the gap to {best}")
            measured[f"{task_id}, over {best}"] = round(bounded.value, 4)
            figures.append(bounded)
        pairs = [
            (score, float(measurement.value.done[task_id][name]))
            for measurement in found
            for task_id, scores in measurement.value.scores.items()
            for name, score in scores.items()
        ]
        together = correlation(*zip(*pairs, strict=True)) if len({done for _, done in pairs}) > 1 else 0.0
        measured["correlation of score and task done"] = round(together, 4)
        if together < LEAST_CORRELATION:
            note = f"the correlation {together:.3f} is under {LEAST_CORRELATION}"
            figures.append(BoundedFigure(together, broken=True, note=note))
        return judge_figures(spec, measured, figures)

    def _judge_rules(self, spec: Check, found: Sequence[Measurement[GamingFigures]]) -> CheckResult:
        if not found:
            return CheckResult(spec, "skip", {}, "the sample has no incident of these difficulties")
        chance = fmean(1 / measurement.value.services for measurement in found)
        measured: dict[str, float | int | str] = {"incidents": len(found), "chance": round(chance, 4)}
        figures = []
        for name in found[0].value.rules:
            hits = sum(measurement.value.rules[name] for measurement in found)
            low, high = (factor * chance for factor in GUESSING)
            bounded = check_rate(hits, len(found), low, high, name)
            measured[name] = round(bounded.value, 4)
            figures.append(bounded)
        return judge_figures(spec, measured, figures)


def _collect_scores(found: Sequence[Measurement[GamingFigures]], task_id: TaskId, name: str) -> list[float]:
    return [measurement.value.scores[task_id][name] for measurement in found]


def _is_task_done(played: Trajectory, incident: Incident) -> bool:
    """Whether the task was truly done: the right severity or root submitted, or the whole plan carried out."""
    if not played["done"] or played["truncated"] or not played["steps"]:
        return False
    given = played["steps"][-1]["action"]["parameters"]
    task = TASKS[played["task_id"]]
    if task.asks_repair:
        events = [event for step in played["steps"] for event in step["reward_events"]]
        return sum(map(events.count, _EFFECTIVE)) == len(incident.plan.steps)
    right = answer_perfectly(incident, task).parameters.model_dump(exclude_defaults=True)
    decisive = ["service"] if task.asks_evidence else list(right)
    return all(given[name] == right[name] for name in decisive)
