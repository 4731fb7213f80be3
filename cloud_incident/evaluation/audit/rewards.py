"""Are rewards well formed, all within reach, and worth little to who does nothing?"""

from __future__ import annotations

from dataclasses import fields
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.bounds import at_least
from cloud_incident.evaluation.audit.check import Check, Found, Group, Spec, none_of
from cloud_incident.evaluation.audit.world import IDLE
from cloud_incident.evaluation.intervals import mean
from cloud_incident.evaluation.play import play
from env_core.perfect import carry_out, look_at, play_perfectly
from scenarios.parsing import parse_action
from scenarios.vocabulary import ACTIONS, DIAGNOSTICS, SUBMISSIONS, TASKS, RewardTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import Context
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action, Task, TaskId

FLOOR_MARGIN = 0.5
"""What `openenv.yaml` declares; a task whose table pays a guess more has what its ceiling for cheats leaves."""

_CONSTANT = "always-"
_REPAIRS = {"effective_remediation"}


class Rewarded(NamedTuple):
    """Of one incident, by task: what lazy players earned, events that occurred, and rewards that are malformed."""

    lazy: dict[TaskId, dict[str, float]]
    events: dict[TaskId, set[str]]
    malformed: list[str]


class Rewards(Group[Rewarded]):
    """Well-formed rewards, floor gap, reward reachability."""

    specs = (
        Spec(
            "runtime.reward_well_formed",
            "Every reward of everyone's play is a finite number within the declared range, and every episode ends",
            "all in [−1, 1]",
        ),
        Spec(
            "semantic.floor_gap",
            "Who does nothing, moves at random or always answers the same earns far less than the oracle",
            f"{FLOOR_MARGIN} less or more, by task; where the table pays for a guess, what the cheats' ceiling leaves",
        ),
        Spec(
            "statistical.reward_reachability",
            "Every event of the reward table occurs in play",
            "all events of every task",
        ),
    )

    def measure(self, case: Case) -> Rewarded:
        lazy = [IDLE, "random", *(name for name in case.bench.world.exploits() if name.startswith(_CONSTANT))]
        return Rewarded(
            case.scores(lazy),
            {task_id: _events(case, task_id) for task_id in case.scenarios},
            [finding for task_id in case.scenarios for finding in _malformed(case, task_id)],
        )

    def judge(self, found: Sequence[Found[Rewarded]], context: Context) -> Iterator[Check]:
        formed, gap, reach = self.specs
        yield none_of(formed, [finding for one in found for finding in one.value.malformed], len(found))
        yield self._gap(gap, found, context)
        unreached = []
        reached = 0
        counts: dict[str, float | int | str] = {}
        for task_id in context.sample.tasks:
            seen: set[str] = set().union(*(one.value.events[task_id] for one in found))
            wanted = _wanted(TASKS[task_id])
            counts[task_id] = f"{len(wanted & seen)} of {len(wanted)}"
            reached += len(wanted & seen)
            unreached += [f"{task_id}: {event}" for event in sorted(wanted - seen)]
        yield none_of(reach, unreached, reached, "events reached", counts)

    def _gap(self, spec: Spec, found: Sequence[Found[Rewarded]], context: Context) -> Check:
        ceilings = next(iter(context.world.exploits().values()))[1]
        measured: dict[str, float | int | str] = {}
        notes, broken = [], False
        for task_id in context.sample.tasks:
            by_player = {
                name: [1.0 - one.value.lazy[task_id][name] for one in found] for name in found[0].value.lazy[task_id]
            }
            best = min(by_player, key=lambda name: mean(by_player[name]))
            margin = min(FLOOR_MARGIN, 1.0 - ceilings.of(task_id))
            bounded = at_least(by_player[best], margin, f"{task_id}: the gap to {best}")
            measured[f"{task_id}, to {best}"] = round(bounded.value, 4)
            broken = broken or bounded.broken
            notes += [bounded.note] if bounded.note else []
        return Check(spec, "fail" if broken else "pass", measured, "; ".join(notes))


def _malformed(case: Case, task_id: TaskId) -> Iterator[str]:
    for name in case.bench.players:
        played = case.played(name, task_id)
        if "failed" in played or not played["done"]:
            yield f"{played['key']}: {played.get('failed', 'the episode did not end')}"
        for number, step in enumerate(played["steps"], 1):
            reward = step["reward"]
            if not (isfinite(reward) and -1 <= reward <= 1):
                yield f"{played['key']}, step {number}: reward {reward!r}"
        if not 0 <= played["score"] <= 1:
            yield f"{played['key']}: score {played['score']!r}"


def _wanted(task: Task) -> set[str]:
    """The events that a task's table pays or charges for, and its end."""
    table = {one.name for one in fields(RewardTable)}
    return {"score", *(table if task.remediates else table - _REPAIRS)}


def _events(case: Case, task_id: TaskId) -> set[str]:
    """What occurred to everyone who played, and to somebody who tries everything."""
    seen = {
        event
        for name in case.bench.players
        for step in case.played(name, task_id)["steps"]
        for event in step["reward_events"]
    }
    if _wanted(TASKS[task_id]) <= seen:
        return seen
    scenario = case.scenarios[task_id]
    for actions in _tours(scenario):
        seen |= {event for step in play(scenario, actions).steps for event, _ in step.events}
    return seen


def _tours(scenario: Scenario) -> Iterator[list[Action]]:
    """Plays in which what honest agents avoid occurs as well."""
    incident, task = scenario.incident, scenario.task
    first, second = list(DIAGNOSTICS)[:2]
    service = incident.services[0]
    look, other = look_at((first, service)), look_at((second, service))
    foreign = next(name for name in SUBMISSIONS if name != task.submission.name)
    texts = {"severity": "P1", "service": service, "failure_mode": "unknown to us", "summary": "It is over now."}
    parameters = {name: texts[name] for name in ACTIONS[foreign].parameters.model_fields if name in texts}
    yield [look, look]
    yield [look, other]
    yield [look_at((first, "nowhere")), parse_action(foreign, parameters)]
    yield [look] * task.max_steps
    yield play_perfectly(incident, task)
    if incident.plan.steps:
        yield [carry_out(incident.plan.steps[0])]
    yield [parse_action("clear_cache", {"service": name}) for name in incident.services[:2]]
