"""What is earned without the work, by cheats, by trajectories known to be dishonest, and by naive rules?"""

from __future__ import annotations

from statistics import correlation
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.bounds import at_least, at_most, rate_within
from cloud_incident.evaluation.audit.check import MOST_EXAMPLES, Check, Found, Group, Spec, none_of
from cloud_incident.evaluation.exploits import cheats
from cloud_incident.evaluation.intervals import mean
from cloud_incident.evaluation.play import play, score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import Context
    from cloud_incident.evaluation.trajectory import Trajectory
    from scenarios.incident import Incident
    from scenarios.vocabulary import TaskId

LEAST_GAP = 0.05
"""Between the responder and the best cheat, in mean score."""
LEAST_CORRELATION = 0.7
"""Between scores and whether the task was truly done."""
GUESSING = (0.5, 2.0)
"""How often a naive rule may be right, in multiples of chance: never the loudest would be a tell too."""
HARD = (4, 5)
"""The difficulties at which naive rules are judged."""

_HONEST = "responder"
_ALL = ("oracle", "responder", "novice", "random")
_EFFECTIVE = ("effective_remediation", "passed_verification")


class Gamed(NamedTuple):
    """Of one incident, by task and player: scores, and whether the task was done; canaries over their ceilings; which
    rules named the root."""

    scores: dict[TaskId, dict[str, float]]
    done: dict[TaskId, dict[str, bool]]
    canaries: list[str]
    rules: dict[str, bool]
    services: int


class Gaming(Group[Gamed]):
    """Canaries, adversarial floor, gameability gap, naive rules."""

    specs = (
        Spec(
            "semantic.canary_floor",
            "Trajectories known to be dishonest (soup on the right service, the plan backwards, boasts) stay under "
            "their ceilings on every scenario",
            "each under its own: 0.20, of right fixes too early or backwards 0.35",
        ),
        Spec(
            "statistical.adversarial_floor",
            "The mean score of everyone who tries to score without the work stays under the ceiling",
            "the ceilings of the curated scenarios: 0.67 in alert_classification, 0.20 elsewhere",
        ),
        Spec(
            "statistical.gameability_gap",
            "Honest work pays: the responder earns more than the best cheat, and scores go with tasks truly done",
            f"{LEAST_GAP} more or more in every task; correlation {LEAST_CORRELATION} or more",
        ),
        Spec(
            "generator.naive_rules",
            f"At difficulty {HARD[0]} and {HARD[1]} each naive rule names the root about as often as guessing does",
            f"{GUESSING[0]} to {GUESSING[1]} times chance",
        ),
    )

    def measure(self, case: Case) -> Gamed:
        names = [*_ALL, *case.bench.world.exploits()]
        hard = case.specimen.difficulty in HARD
        root = case.incident.truth.service
        return Gamed(
            case.scores(names),
            {
                task_id: {name: _done(case.played(name, task_id), case.incident) for name in names}
                for task_id in case.scenarios
            },
            [
                f"{scenario.id}: {cheat.name} earns {earned:.4f} over {cheat.ceiling}"
                for scenario in case.scenarios.values()
                for cheat in cheats(scenario)
                if (earned := score(play(scenario, cheat.actions))) > cheat.ceiling
            ],
            {name: rule(case.incident) == root for name, rule in case.bench.world.rules().items()} if hard else {},
            len(case.incident.services),
        )

    def judge(self, found: Sequence[Found[Gamed]], context: Context) -> Iterator[Check]:
        canary, floor, gap, rules = self.specs
        yield none_of(canary, [finding for one in found for finding in one.value.canaries], len(found))
        yield self._floor(floor, found, context)
        yield self._gap(gap, found, context)
        yield self._rules(rules, [one for one in found if one.value.rules])

    def _floor(self, spec: Spec, found: Sequence[Found[Gamed]], context: Context) -> Check:
        measured: dict[str, float | int | str] = {}
        notes, broken = [], []
        for task_id in context.sample.tasks:
            highest = ("", -1.0)
            for name, (_, ceilings) in context.world.exploits().items():
                bounded = at_most(_scores(found, task_id, name), ceilings.of(task_id), f"{task_id}: {name}")
                highest = max(highest, (name, bounded.value), key=lambda one: one[1])
                broken += [bounded.note] if bounded.broken else []
                notes += [bounded.note] if bounded.note else []
            measured[f"{task_id}, {highest[0]}"] = round(highest[1], 4)
        return Check(spec, "fail" if broken else "pass", measured, "; ".join(notes[:MOST_EXAMPLES]))

    def _gap(self, spec: Spec, found: Sequence[Found[Gamed]], context: Context) -> Check:
        measured: dict[str, float | int | str] = {}
        notes, broken = [], False
        for task_id in context.sample.tasks:
            best = max(context.world.exploits(), key=lambda name: mean(_scores(found, task_id, name)))
            honest, cheating = _scores(found, task_id, _HONEST), _scores(found, task_id, best)
            gaps = [one - other for one, other in zip(honest, cheating, strict=True)]
            bounded = at_least(gaps, LEAST_GAP, f"{task_id}: the gap to {best}")
            measured[f"{task_id}, over {best}"] = round(bounded.value, 4)
            broken = broken or bounded.broken
            notes += [bounded.note] if bounded.note else []
        pairs = [
            (score, float(one.value.done[task_id][name]))
            for one in found
            for task_id, scores in one.value.scores.items()
            for name, score in scores.items()
        ]
        together = correlation(*zip(*pairs, strict=True)) if len({done for _, done in pairs}) > 1 else 0.0
        measured["correlation of score and task done"] = round(together, 4)
        if together < LEAST_CORRELATION:
            broken = True
            notes.append(f"the correlation {together:.3f} is under {LEAST_CORRELATION}")
        return Check(spec, "fail" if broken else "pass", measured, "; ".join(notes))

    def _rules(self, spec: Spec, found: Sequence[Found[Gamed]]) -> Check:
        if not found:
            return Check(spec, "skip", {}, "the sample has no incident of these difficulties")
        chance = mean([1 / one.value.services for one in found])
        measured: dict[str, float | int | str] = {"incidents": len(found), "chance": round(chance, 4)}
        notes, broken = [], False
        for name in found[0].value.rules:
            hits = sum(one.value.rules[name] for one in found)
            low, high = (factor * chance for factor in GUESSING)
            bounded = rate_within(hits, len(found), low, high, name)
            measured[name] = round(bounded.value, 4)
            broken = broken or bounded.broken
            notes += [bounded.note] if bounded.note else []
        return Check(spec, "fail" if broken else "pass", measured, "; ".join(notes))


def _scores(found: Sequence[Found[Gamed]], task_id: TaskId, name: str) -> list[float]:
    return [one.value.scores[task_id][name] for one in found]


def _done(played: Trajectory, incident: Incident) -> bool:
    """Whether the task was truly done: severity or root named rightly, the whole plan carried out and reported."""
    if not played["done"] or played["truncated"] or not played["steps"]:
        return False
    given = played["steps"][-1]["action"]["parameters"]
    match played["task_id"]:
        case "alert_classification":
            return bool(given["severity"] == incident.truth.severity)
        case "root_cause_analysis":
            return bool(given["service"] == incident.truth.service)
        case _:
            events = [event for step in played["steps"] for event in step["reward_events"]]
            return sum(map(events.count, _EFFECTIVE)) == len(incident.plan.steps)
