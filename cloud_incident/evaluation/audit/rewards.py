"""Checks that rewards are well formed, that all of them occur, and that doing nothing earns little."""

from __future__ import annotations

from dataclasses import fields
from math import isfinite
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.bounds import check_at_least
from cloud_incident.evaluation.audit.check import (
    Check,
    CheckGroup,
    CheckResult,
    Measurement,
    judge_figures,
    require_no_problems,
)
from cloud_incident.evaluation.audit.world import IDLE
from cloud_incident.evaluation.running import is_measured, play_actions
from env_core.perfect import carry_out, look_at, play_perfectly
from scenarios.parsing import parse_action
from scenarios.vocabulary import DIAGNOSTICS, TASKS, RewardTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action, Task, TaskId

FLOOR_MARGIN = 0.5
"""The margin that `openenv.yaml` declares. In a task that pays more for a guess, the cheats' ceiling leaves less."""

_CONSTANT = "always-"
_REPAIRS = {"effective_remediation"}


class RewardFigures(NamedTuple):
    """The figures of one incident: `lazy`, the scores of lazy agents by task; the events by task; malformed rewards.

    There are no scores if an episode failed; it is among the malformed ones then.
    """

    lazy: dict[TaskId, dict[str, float]] | None
    events: dict[TaskId, set[str]]
    malformed: list[str]


class RewardChecks(CheckGroup[RewardFigures]):
    """Well-formed rewards, floor gap, reward reachability."""

    specs = (
        Check(
            "runtime.reward_well_formed",
            "Every reward of everyone's play is a finite number within the declared range, and every episode ends",
            "all in [−1, 1]",
        ),
        Check(
            "semantic.floor_gap",
            "Who does nothing, moves at random or always answers the same earns far less than the oracle",
            f"{FLOOR_MARGIN} less or more, by task; where the table pays for a guess, what the cheats' ceiling leaves",
        ),
        Check(
            "statistical.reward_reachability",
            "Every event of the reward table occurs in play",
            "all events of every task",
        ),
    )

    def measure(self, case: Case) -> RewardFigures:
        lazy = [IDLE, "random", *(name for name in case.bench.world.list_exploits() if name.startswith(_CONSTANT))]
        return RewardFigures(
            case.collect_scores(lazy) if _have_scores(case, lazy) else None,
            {task_id: _collect_events(case, task_id) for task_id in case.scenarios},
            [finding for task_id in case.scenarios for finding in _find_malformed(case, task_id)],
        )

    def judge(self, found: Sequence[Measurement[RewardFigures]], context: AuditContext) -> Iterator[CheckResult]:
        formed, gap, reach = self.specs
        yield require_no_problems(
            formed, [finding for measurement in found for finding in measurement.value.malformed], len(found)
        )
        yield self._judge_gap(gap, found, context)
        unreached = []
        reached = 0
        counts: dict[str, float | int | str] = {}
        for task_id in context.sample.tasks:
            seen: set[str] = set().union(*(measurement.value.events[task_id] for measurement in found))
            wanted = _list_wanted_events(TASKS[task_id])
            counts[task_id] = f"{len(wanted & seen)} of {len(wanted)}"
            reached += len(wanted & seen)
            unreached += [f"{task_id}: {event}" for event in sorted(wanted - seen)]
        yield require_no_problems(reach, unreached, reached, "events reached", counts)

    def _judge_gap(
        self, spec: Check, found: Sequence[Measurement[RewardFigures]], context: AuditContext
    ) -> CheckResult:
        lazy = [measurement.value.lazy for measurement in found if measurement.value.lazy is not None]
        if len(lazy) < len(found):
            return CheckResult(spec, "error", {}, "episodes failed and have no score; see runtime.reward_well_formed")
        ceilings = next(iter(context.world.list_exploits().values()))[1]
        measured: dict[str, float | int | str] = {}
        figures = []
        for task_id in context.sample.tasks:
            by_player = {name: [1.0 - scores[task_id][name] for scores in lazy] for name in lazy[0][task_id]}
            best = min(by_player, key=lambda name: fmean(by_player[name]))
            margin = min(FLOOR_MARGIN, 1.0 - ceilings.get(task_id))
            bounded = check_at_least(by_player[best], margin, f"{task_id}: the gap to {best}")
            measured[f"{task_id}, to {best}"] = round(bounded.value, 4)
            figures.append(bounded)
        return judge_figures(spec, measured, figures)


def _have_scores(case: Case, agents: Sequence[str]) -> bool:
    return all(is_measured(case.play(name, task_id)) for name in agents for task_id in case.scenarios)


def _find_malformed(case: Case, task_id: TaskId) -> Iterator[str]:
    for name in case.bench.players:
        played = case.play(name, task_id)
        if not is_measured(played) or not played["done"]:
            reason = played.get("failed") or played.get("gave_up") or "the episode did not end"
            yield f"{played['key']}: {reason}"
        for number, step in enumerate(played["steps"], 1):
            reward = step["reward"]
            if not (isfinite(reward) and -1 <= reward <= 1):
                yield f"{played['key']}, step {number}: reward {reward!r}"
        score = played["score"]
        if score is not None and not 0 <= score <= 1:
            yield f"{played['key']}: score {score!r}"


def _list_wanted_events(task: Task) -> set[str]:
    """List the events that the reward table of a task pays or charges for, and the score at the end."""
    table = {field.name for field in fields(RewardTable)}
    return {"score", *(table if task.remediates else table - _REPAIRS)}


def _collect_events(case: Case, task_id: TaskId) -> set[str]:
    """Collect the events of all agents, and if some are missing, of plays that try everything."""
    seen = {
        event
        for name in case.bench.players
        for step in case.play(name, task_id)["steps"]
        for event in step["reward_events"]
    }
    if _list_wanted_events(TASKS[task_id]) <= seen:
        return seen
    scenario = case.scenarios[task_id]
    for actions in _list_tours(scenario):
        seen |= {event for step in play_actions(scenario, actions).steps for event, _ in step.events}
    return seen


def _list_tours(scenario: Scenario) -> Iterator[list[Action]]:
    """List plays in which the events occur that honest agents avoid."""
    incident, task = scenario.incident, scenario.task
    first, second = list(DIAGNOSTICS)[:2]
    service = incident.services[0]
    look, other = look_at((first, service)), look_at((second, service))
    yield [look, look]
    yield [look, other]
    yield [look_at((first, "nowhere"))]
    yield [look] * task.max_steps
    yield play_perfectly(incident, task)
    if incident.plan.steps:
        yield [carry_out(incident.plan.steps[0])]
    yield [parse_action("clear_cache", {"service": name}) for name in incident.services[:2]]
