"""Frozen exports: the same evidence after the same progress, the same rewards and scores, in files of modest size."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_incident.evaluation.audit import draw_random_play
from cloud_incident.evaluation.running import play_actions
from env_core.perfect import play_perfectly
from scenarios.catalogue import Scenario
from scenarios.document import DIAGNOSTIC_FIELDS
from scenarios.generator.freeze import freeze, frozen_id
from scenarios.generator.incident import GeneratedIncident
from scenarios.generator.naming import DIFFICULTIES
from scenarios.loading import MOST_BYTES, load_document
from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import TASKS
from tests.scenarios.generator.drawn import CATALOGUE, SAMPLE
from tests.slow import count_examples

if TYPE_CHECKING:
    from scenarios.authored import AuthoredIncident
    from scenarios.progress import Plan, Progress

LARGEST = MOST_BYTES // 2
"""Bytes that an export stays under. Most have a fifth of it."""

few = st.sampled_from(SAMPLE[:3])
many = st.tuples(st.integers(0, 400), st.sampled_from(DIFFICULTIES))
tasks = st.sampled_from(list(TASKS))
plays = st.integers(0, 1000)


@cache
def pair(seed: int, difficulty: int) -> tuple[GeneratedIncident, AuthoredIncident]:
    """A generated incident, and itself frozen and loaded again."""
    scenario = CATALOGUE.get_generated("root_cause_analysis", seed, difficulty)
    generated = scenario.incident
    assert isinstance(generated, GeneratedIncident)
    text = freeze(generated, CATALOGUE.origin(scenario.id)[0])
    assert len(text.encode()) < LARGEST
    with TemporaryDirectory() as directory:
        file = Path(directory, f"{frozen_id(generated.id)}.yaml")
        file.write_text(text, "utf-8")
        return generated, load_document(file)


def reachable(plan: Plan) -> list[Progress]:
    """Every progress: the stages done, some of the steps of the next, and any harms."""
    before: Progress = UNTOUCHED
    done = [before]
    for stage in plan.stages:
        steps = [one.step for one in stage]
        for size in range(1, len(steps) + 1):
            done += [before | set(some) for some in combinations(steps, size)]
        before |= set(steps)
    harms = sorted({harm.name for harm in plan.harms})
    caused = [set(some) for size in range(len(harms) + 1) for some in combinations(harms, size)]
    return [one | some for one in done for some in caused]


@pytest.mark.slow
@given(case=many, data=st.data())
@settings(max_examples=count_examples(20, least=8))
def test_the_same_evidence_of_any_incident(case: tuple[int, int], data: st.DataObject) -> None:
    """Both show the same after any progress."""
    generated, frozen = pair(*case)
    for progress in data.draw(st.lists(st.sampled_from(reachable(generated.plan)), min_size=1, max_size=3)):
        for service in generated.services:
            for diagnostic in DIAGNOSTIC_FIELDS.values():
                shown = frozen.evidence(diagnostic, service, progress)
                assert shown.text == generated.evidence(diagnostic, service, progress).text, (service, progress)


def check_names(case: tuple[int, int]) -> None:
    """Both are the same incident, but for their ids."""
    generated, frozen = pair(*case)
    for what in ("services", "flags", "summary", "truth", "plan"):
        assert getattr(frozen, what) == getattr(generated, what), what
    assert dict(frozen.alert) == dict(generated.alert)
    for task_id in TASKS:
        assert frozen.certificates(task_id) == generated.certificates(task_id)
        assert frozen.scenarios[task_id] == f"FROZEN-{generated.scenarios[task_id]}"
    assert frozen.id == f"frozen-{generated.id}"


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "difficulty"), SAMPLE[:3])
def test_the_same_incident_under_names_of_its_own(seed: int, difficulty: int) -> None:
    check_names((seed, difficulty))


@pytest.mark.slow
@given(case=many)
@settings(max_examples=count_examples(15, least=6))
def test_any_incident_is_the_same_under_names_of_its_own(case: tuple[int, int]) -> None:
    check_names(case)


def check_plays(case: tuple[int, int], task_id: str, played: int) -> None:
    """Both reward and score the same, in perfect play and in random play."""
    generated, frozen = pair(*case)
    task = next(task for task in TASKS.values() if task.id == task_id)
    one, other = (Scenario("both", task, incident) for incident in (generated, frozen))
    for actions in (play_perfectly(generated, task), draw_random_play(one, played)):
        first, second = play_actions(one, actions), play_actions(other, actions)
        assert first.steps == second.steps
        assert first.grade == second.grade
    assert play_perfectly(generated, task) == play_perfectly(frozen, task)


@pytest.mark.slow
@given(case=few, task_id=tasks, played=plays)
@settings(max_examples=count_examples(20))
def test_the_same_rewards_and_scores(case: tuple[int, int], task_id: str, played: int) -> None:
    check_plays(case, task_id, played)


@pytest.mark.slow
@given(case=many, task_id=tasks, played=plays)
@settings(max_examples=count_examples(20, least=8))
def test_the_same_rewards_and_scores_of_any_incident(case: tuple[int, int], task_id: str, played: int) -> None:
    check_plays(case, task_id, played)


@pytest.mark.slow
def test_a_frozen_document_sets_the_tasks_asked_for() -> None:
    scenario = CATALOGUE.get_generated("root_cause_analysis", 1, 1)
    incident = scenario.incident
    assert isinstance(incident, GeneratedIncident)
    text = freeze(incident, CATALOGUE.origin(scenario.id)[0], ("remediation_planning",))
    assert "FROZEN-GEN1-RP-D1-1" in text
    assert "GEN1-AC" not in text
    assert "seed 1 at difficulty 1" in text


@pytest.mark.slow
@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_what_nothing_changes_has_one_state(difficulty: int) -> None:
    generated, frozen = pair(difficulty - 1, difficulty)
    most = len(reachable(generated.plan))
    for service in generated.services:
        untouched = generated.scene.world.index[service] not in generated.scene.moved
        for diagnostic in DIAGNOSTIC_FIELDS.values():
            states = frozen.states(diagnostic, service)
            assert len(states) <= (1 if untouched else most)
