"""Checks that incidents, episodes and grades are the same when they are made again."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from cloud_incident.evaluation.audit.case import Bench
from cloud_incident.evaluation.audit.check import Check, CheckGroup, CheckResult, Measurement, require_no_problems
from cloud_incident.evaluation.running import (
    dump_trajectory,
    find_differences,
    get_score,
    parse_trajectory,
    play_actions,
)
from env_core.batch import Batch
from env_core.selection import Selection
from scenarios.parsing import parse_action
from scenarios.progress import UNTOUCHED, Remedy
from scenarios.vocabulary import DIAGNOSTICS, Diagnostic, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext
    from cloud_incident.evaluation.audit.sample import Sample, Specimen
    from cloud_incident.evaluation.audit.world import AuditedWorld
    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.incident import Incident
    from scenarios.vocabulary import Action

_HASH_SEEDS = ("1", "2")
_ELSEWHERE = 24
"""How many incidents are made again in other processes."""
_NEIGHBOURS = 60
"""For how many incidents the neighbour, at the next seed or index, is made as well."""
_REPLAYED = 60
"""For how many incidents the episodes are played again, and beside each other."""
_AGENTS = ("responder", "random", "shotgun")


class RepeatFindings(NamedTuple):
    """The figures of one incident.

    `shared` are the texts that its neighbour has too. `episodes`, `beside`, `graded` and `replayed` name what was not
    the same again: alone, beside other episodes, graded again, and replayed. `plays` is the number of episodes.
    """

    fingerprint: str
    shared: list[str] | None
    episodes: list[str]
    beside: list[str]
    graded: list[str]
    replayed: list[str]
    plays: int


class ReproducibilityChecks(CheckGroup[RepeatFindings]):
    """Seed control, episode determinism and isolation, verifier determinism, replayability."""

    specs = (
        Check(
            "runtime.seed_control",
            "The same seed gives the same bytes in two fresh processes that hash differently; other seeds give others, "
            "and neighbours have no piece of evidence in common",
            f"all; the first {_ELSEWHERE} incidents elsewhere, the first {_NEIGHBOURS} beside their neighbours",
        ),
        Check(
            "runtime.episode_determinism",
            "The same actions on an incident made anew show the same bytes",
            f"all; the first {_REPLAYED} incidents",
        ),
        Check(
            "runtime.episode_isolation",
            "Episodes of all tasks on one incident, stepped in turns, show what each shows alone",
            f"all; the first {_REPLAYED} incidents",
        ),
        Check(
            "semantic.verifier_determinism",
            "The same trajectory earns the same score again, and so does one with what commutes in another order",
            f"all; the first {_REPLAYED} incidents",
        ),
        Check(
            "semantic.replayability",
            "Trajectories that were written down and read replay to the same evidence, rewards and score",
            f"all; the first {_REPLAYED} incidents",
        ),
    )

    def measure(self, case: Case) -> RepeatFindings:
        print_ = compute_fingerprint(case.incident)
        shared = _find_shared_evidence(case) if case.specimen.position < _NEIGHBOURS else None
        if case.specimen.position >= _REPLAYED:
            return RepeatFindings(print_, shared, [], [], [], [], 0)
        plays = [
            (scenario, agent, [step["action"] for step in case.play(agent, task_id)["steps"]])
            for task_id, scenario in case.scenarios.items()
            for agent in _AGENTS
        ]
        alone = [_play_alone(case.bench.first, scenario.id, actions) for scenario, _, actions in plays]
        names = [f"{scenario.id}, {agent}" for scenario, agent, _ in plays]
        anew = [_play_alone(case.bench.second, scenario.id, actions) for scenario, _, actions in plays]
        beside = _play_in_turns(case.bench.second, [(scenario.id, actions) for scenario, _, actions in plays])
        return RepeatFindings(
            print_,
            shared,
            [name for name, first, second in zip(names, alone, anew, strict=True) if first != second],
            [name for name, first, second in zip(names, alone, beside, strict=True) if first != second],
            [finding for scenario in case.scenarios.values() for finding in _find_changed_grades(case, scenario)],
            [
                f"{name}: {difference}"
                for name, (scenario, agent, _) in zip(names, plays, strict=True)
                for difference in find_differences(
                    parse_trajectory(dump_trajectory(case.play(agent, scenario.task.id))), case.bench.second
                )[:1]
            ],
            len(plays),
        )

    def judge(self, found: Sequence[Measurement[RepeatFindings]], context: AuditContext) -> Iterator[CheckResult]:
        seeds, *others = self.specs
        if seeds.id in context.asked:  # it starts processes
            yield _judge_seed_control(seeds, found, context)
        plays = sum(measurement.value.plays for measurement in found)
        for spec, problems in zip(
            others,
            (
                [finding for measurement in found for finding in measurement.value.episodes],
                [finding for measurement in found for finding in measurement.value.beside],
                [finding for measurement in found for finding in measurement.value.graded],
                [finding for measurement in found for finding in measurement.value.replayed],
            ),
            strict=True,
        ):
            yield require_no_problems(spec, problems, plays, "episodes")


def compute_fingerprint(incident: Incident) -> str:
    """Compute a digest of an incident: what it shows when untouched, repaired and harmed, and its truth."""
    plan, truth = incident.plan, incident.truth
    parts: list[Any] = [
        incident.id,
        incident.digest,
        incident.summary,
        dict(incident.alert),
        [truth.severity, truth.service, incident.account.chain, truth.concepts, sorted(truth.families), truth.answer],
        [[step.step for step in stage] for stage in plan.stages],
        [[harm.name, harm.on, harm.means] for harm in plan.harms],
        sorted(incident.flags),
        [[sorted(certificate) for certificate in incident.certificates(task_id)] for task_id in incident.scenarios],
    ]
    repaired = frozenset(step.step for step in plan.steps)
    harmed = frozenset(harm.name for harm in plan.harms)
    parts += [list(_list_evidence(incident, progress)) for progress in (UNTOUCHED, repaired, harmed)]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def _list_evidence(incident: Incident, progress: frozenset[str] = UNTOUCHED) -> Iterator[str]:
    for diagnostic in DIAGNOSTICS:
        for service in incident.services:
            yield incident.evidence(diagnostic, service, progress).text


def _find_shared_evidence(case: Case) -> list[str]:
    """Find the pieces of evidence that an incident and its neighbour have in common."""
    neighbour = case.specimen._replace(number=case.specimen.number + 1)
    other = neighbour.make_scenario(case.bench.second, next(iter(case.scenarios))).incident
    return sorted(set(_list_evidence(case.incident)) & set(_list_evidence(other)))


def _judge_seed_control(
    spec: Check, found: Sequence[Measurement[RepeatFindings]], context: AuditContext
) -> CheckResult:
    here = [measurement for measurement in found if measurement.specimen.position < _ELSEWHERE]
    specimens = [measurement.specimen for measurement in here]
    problems = []
    for hash_seed in _HASH_SEEDS:
        prints = _fingerprint_elsewhere(context.world, context.sample, specimens, hash_seed)
        problems += [
            f"{measurement.name}: other bytes in another process"
            for measurement, other in zip(here, prints, strict=True)
            if measurement.value.fingerprint != other
        ]
    known: dict[str, Specimen] = {}
    for specimen, name, value in found:
        twin = known.setdefault(value.fingerprint, specimen)
        if twin != specimen:
            problems.append(f"{specimen.split} {specimen.number} is {twin.split} {twin.number} over again")
        problems += [f"{name} and its neighbour both show: {text[:80]!r}" for text in (value.shared or [])[:1]]
    beside = sum(measurement.value.shared is not None for measurement in found)
    return require_no_problems(
        spec, problems, len(found), measured={"made elsewhere": len(here), "beside neighbours": beside}
    )


def _fingerprint_elsewhere(
    world: AuditedWorld, sample: Sample, specimens: Sequence[Specimen], hash_seed: str
) -> list[str]:
    """Compute the fingerprints of incidents in a fresh process."""
    with _set_hash_seed(hash_seed), ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_compute_fingerprints, world, sample, list(specimens)).result()


def _compute_fingerprints(world: AuditedWorld, sample: Sample, specimens: Sequence[Specimen]) -> list[str]:
    catalogue = Bench(world).first
    return [compute_fingerprint(specimen.make_scenario(catalogue, sample.tasks[0]).incident) for specimen in specimens]


@contextmanager
def _set_hash_seed(seed: str) -> Iterator[None]:
    """Have new processes hash strings by a seed."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = seed
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


def _play_alone(catalogue: Catalogue, scenario_id: str, actions: Sequence[dict[str, Any]]) -> list[bytes]:
    return _play_in_turns(catalogue, [(scenario_id, actions)])[0]


def _play_in_turns(catalogue: Catalogue, plays: Sequence[tuple[str, Sequence[dict[str, Any]]]]) -> list[list[bytes]]:
    """Play episodes in turns, a step of each at a time, and give a digest of what each shows at every step."""
    batch = Batch(catalogue)
    shown = [[_digest_shown(result)] for result in batch.reset([_select(scenario_id) for scenario_id, _ in plays])]
    for number in range(max(len(actions) for _, actions in plays)):
        stepping = [actions[number] if number < len(actions) else None for _, actions in plays]
        for action, seen, result in zip(stepping, shown, batch.step(stepping), strict=True):
            if action is not None:
                seen.append(_digest_shown(result))
    return shown


def _select(scenario_id: str) -> Selection:
    return Selection(scenario_id=scenario_id, episode_id="audited")


def _digest_shown(shown: Any) -> bytes:
    return hashlib.blake2b(orjson.dumps(list(shown)), digest_size=16).digest()


def _find_changed_grades(case: Case, scenario: Scenario) -> Iterator[str]:
    """Find scores that change when an episode is graded again, or when actions that commute change places."""
    for name in (*_AGENTS, "oracle"):
        played = case.play(name, scenario.task.id)
        actions = [parse_action(**step["action"]) for step in played["steps"]]
        if not played["done"] or not actions:
            continue
        for what, order in (("again", actions), ("in another order", _reorder(scenario, actions))):
            earned = get_score(play_actions(scenario, order))
            if earned != played["score"]:
                yield f"{played['key']}: {played['score']:.4f}, {what} {earned:.4f}"


def _reorder(scenario: Scenario, actions: Sequence[Action]) -> list[Action]:
    """Reverse the looks before the first remediation, and the steps of the plan that commute."""
    others = (number for number, action in enumerate(actions) if not isinstance(action.declaration, Diagnostic))
    first = next(others, len(actions))
    order = [*reversed(actions[:first]), *actions[first:]]
    stage_of = {step.step: number for number, stage in enumerate(scenario.incident.plan.stages) for step in stage}
    stages = [
        stage_of.get(Remedy(action.name, action.target).step) if isinstance(action.declaration, Remediation) else None
        for action in order
    ]
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and stages[stop] is not None and stages[stop] == stages[start]:
            stop += 1
        order[start:stop] = reversed(order[start:stop])
        start = stop
    return order
