"""Is everything the same again: incidents, episodes, grades?"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from cloud_incident.evaluation.audit.case import Bench
from cloud_incident.evaluation.audit.check import Check, Found, Group, Spec, none_of
from cloud_incident.evaluation.play import play, score
from cloud_incident.evaluation.replaying import differences
from cloud_incident.evaluation.trajectory import dump, parse
from env_core.batch import Batch
from env_core.selection import Selection
from scenarios.parsing import parse_action
from scenarios.progress import UNTOUCHED, Remedy
from scenarios.vocabulary import DIAGNOSTICS, Diagnostic, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import Context
    from cloud_incident.evaluation.audit.sample import Sample, Specimen
    from cloud_incident.evaluation.audit.world import World
    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.incident import Incident
    from scenarios.vocabulary import Action

_HASH_SEEDS = ("1", "2")
_ELSEWHERE = 24
"""Incidents that are made once more in other processes."""
_NEIGHBOURS = 60
"""Incidents whose neighbour, the next seed or index, is made as well."""
_REPLAYED = 60
"""Incidents whose episodes are played again and beside each other."""
_AGENTS = ("responder", "random", "shotgun")


class Repeated(NamedTuple):
    """Of one incident: its fingerprint, its texts that its neighbour has too, and what was not the same again."""

    fingerprint: str
    shared: list[str] | None
    episodes: list[str]
    beside: list[str]
    graded: list[str]
    replayed: list[str]
    plays: int


class Reproducing(Group[Repeated]):
    """Seed control, episode determinism and isolation, verifier determinism, replayability."""

    specs = (
        Spec(
            "runtime.seed_control",
            "The same seed gives the same bytes in two fresh processes that hash differently; other seeds give others, "
            "and neighbours have no piece of evidence in common",
            f"all; the first {_ELSEWHERE} incidents elsewhere, the first {_NEIGHBOURS} beside their neighbours",
        ),
        Spec(
            "runtime.episode_determinism",
            "The same actions on an incident made anew show the same bytes",
            f"all; the first {_REPLAYED} incidents",
        ),
        Spec(
            "runtime.episode_isolation",
            "Episodes of all tasks on one incident, stepped in turns, show what each shows alone",
            f"all; the first {_REPLAYED} incidents",
        ),
        Spec(
            "semantic.verifier_determinism",
            "The same trajectory earns the same score again, and so does one with what commutes in another order",
            f"all; the first {_REPLAYED} incidents",
        ),
        Spec(
            "semantic.replayability",
            "Trajectories that were written down and read replay to the same evidence, rewards and score",
            f"all; the first {_REPLAYED} incidents",
        ),
    )

    def measure(self, case: Case) -> Repeated:
        print_ = fingerprint(case.incident)
        shared = _shared(case) if case.specimen.position < _NEIGHBOURS else None
        if case.specimen.position >= _REPLAYED:
            return Repeated(print_, shared, [], [], [], [], 0)
        plays = [
            (scenario, agent, [step["action"] for step in case.played(agent, task_id)["steps"]])
            for task_id, scenario in case.scenarios.items()
            for agent in _AGENTS
        ]
        alone = [_shown(case.bench.first, scenario.id, actions) for scenario, _, actions in plays]
        names = [f"{scenario.id}, {agent}" for scenario, agent, _ in plays]
        anew = [_shown(case.bench.second, scenario.id, actions) for scenario, _, actions in plays]
        beside = _in_turns(case.bench.second, [(scenario.id, actions) for scenario, _, actions in plays])
        return Repeated(
            print_,
            shared,
            [name for name, one, other in zip(names, alone, anew, strict=True) if one != other],
            [name for name, one, other in zip(names, alone, beside, strict=True) if one != other],
            [finding for scenario in case.scenarios.values() for finding in _regraded(case, scenario)],
            [
                f"{name}: {difference}"
                for name, (scenario, agent, _) in zip(names, plays, strict=True)
                for difference in differences(parse(dump(case.played(agent, scenario.task.id))), case.bench.second)[:1]
            ],
            len(plays),
        )

    def judge(self, found: Sequence[Found[Repeated]], context: Context) -> Iterator[Check]:
        seeds, *others = self.specs
        yield _seed_control(seeds, found, context)
        plays = sum(one.value.plays for one in found)
        for spec, problems in zip(
            others,
            (
                [finding for one in found for finding in one.value.episodes],
                [finding for one in found for finding in one.value.beside],
                [finding for one in found for finding in one.value.graded],
                [finding for one in found for finding in one.value.replayed],
            ),
            strict=True,
        ):
            yield none_of(spec, problems, plays, "episodes")


def fingerprint(incident: Incident) -> str:
    """A digest of all that an incident is: what it shows, untouched, repaired and harmed, and its truth."""
    plan, truth = incident.plan, incident.truth
    parts: list[Any] = [
        incident.id,
        incident.digest,
        incident.summary,
        dict(incident.alert),
        [truth.severity, truth.service, truth.chain, truth.concepts, sorted(truth.families), truth.answer],
        [[step.step for step in stage] for stage in plan.stages],
        [[harm.name, harm.on, harm.means] for harm in plan.harms],
        sorted(incident.flags),
        [[sorted(one) for one in incident.certificates(task_id)] for task_id in incident.scenarios],
    ]
    repaired = frozenset(step.step for step in plan.steps)
    harmed = frozenset(harm.name for harm in plan.harms)
    parts += [list(_evidence(incident, progress)) for progress in (UNTOUCHED, repaired, harmed)]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def _evidence(incident: Incident, progress: frozenset[str] = UNTOUCHED) -> Iterator[str]:
    for diagnostic in DIAGNOSTICS:
        for service in incident.services:
            yield incident.evidence(diagnostic, service, progress).text


def _shared(case: Case) -> list[str]:
    """The pieces of evidence that an incident and its neighbour have in common."""
    neighbour = case.specimen._replace(number=case.specimen.number + 1)
    other = neighbour.scenario(case.bench.second, next(iter(case.scenarios))).incident
    return sorted(set(_evidence(case.incident)) & set(_evidence(other)))


def _seed_control(spec: Spec, found: Sequence[Found[Repeated]], context: Context) -> Check:
    here = [one for one in found if one.specimen.position < _ELSEWHERE]
    specimens = [one.specimen for one in here]
    problems = []
    for hash_seed in _HASH_SEEDS:
        prints = _elsewhere(context.world, context.sample, specimens, hash_seed)
        problems += [
            f"{one.name}: other bytes in another process"
            for one, other in zip(here, prints, strict=True)
            if one.value.fingerprint != other
        ]
    known: dict[str, Specimen] = {}
    for one in found:
        twin = known.setdefault(one.value.fingerprint, one.specimen)
        if twin != one.specimen:
            problems.append(f"{one.specimen.split} {one.specimen.number} is {twin.split} {twin.number} over again")
        problems += [f"{one.name} and its neighbour both show: {text[:80]!r}" for text in (one.value.shared or [])[:1]]
    beside = sum(one.value.shared is not None for one in found)
    return none_of(spec, problems, len(found), measured={"made elsewhere": len(here), "beside neighbours": beside})


def _elsewhere(world: World, sample: Sample, specimens: Sequence[Specimen], hash_seed: str) -> list[str]:
    """The fingerprints in a fresh process."""
    with _hashing_by(hash_seed), ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_fingerprints, world, sample, list(specimens)).result()


def _fingerprints(world: World, sample: Sample, specimens: Sequence[Specimen]) -> list[str]:
    catalogue = Bench(world).first
    return [fingerprint(specimen.scenario(catalogue, sample.tasks[0]).incident) for specimen in specimens]


@contextmanager
def _hashing_by(seed: str) -> Iterator[None]:
    """New processes hash strings by a seed."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = seed
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


def _shown(catalogue: Catalogue, scenario_id: str, actions: Sequence[dict[str, Any]]) -> list[bytes]:
    return _in_turns(catalogue, [(scenario_id, actions)])[0]


def _in_turns(catalogue: Catalogue, plays: Sequence[tuple[str, Sequence[dict[str, Any]]]]) -> list[list[bytes]]:
    """What each of some episodes shows, all of them stepped in turns."""
    batch = Batch(catalogue)
    shown = [[_bytes(one)] for one in batch.reset([_selected(scenario_id) for scenario_id, _ in plays])]
    for number in range(max(len(actions) for _, actions in plays)):
        stepping = [actions[number] if number < len(actions) else None for _, actions in plays]
        for action, seen, one in zip(stepping, shown, batch.step(stepping), strict=True):
            if action is not None:
                seen.append(_bytes(one))
    return shown


def _selected(scenario_id: str) -> Selection:
    return Selection(scenario_id=scenario_id, episode_id="audited")


def _bytes(shown: Any) -> bytes:
    return hashlib.blake2b(orjson.dumps(list(shown)), digest_size=16).digest()


def _regraded(case: Case, scenario: Scenario) -> Iterator[str]:
    """Grades that are others when the same is graded again, or what commutes is done in another order."""
    for name in (*_AGENTS, "oracle"):
        played = case.played(name, scenario.task.id)
        actions = [parse_action(**step["action"]) for step in played["steps"]]
        if not played["done"] or not actions:
            continue
        for what, order in (("again", actions), ("in another order", _reordered(scenario, actions))):
            earned = score(play(scenario, order))
            if earned != played["score"]:
                yield f"{played['key']}: {played['score']:.4f}, {what} {earned:.4f}"


def _reordered(scenario: Scenario, actions: Sequence[Action]) -> list[Action]:
    """The looks before the first remediation backwards, and those of the plan's steps backwards that commute."""
    first = next(
        (number for number, action in enumerate(actions) if not isinstance(action.declaration, Diagnostic)),
        len(actions),
    )
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
