"""An incident with two causes: each is found and repaired by itself, and half of the work earns less than half."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from env_core.briefing import write_debrief
from env_core.episode import begin
from env_core.observation import debrief
from env_core.perfect import carry_out, look_at, play_perfectly
from env_core.reference import Reference
from env_core.transition import step
from scenarios.catalogue import Catalogue, UnknownScenarioError
from scenarios.generator.naming import count_causes
from scenarios.parsing import parse_action
from scenarios.proofs import prove
from scenarios.proofs.knowledge import find_knowledge
from scenarios.proofs.second import name_sighting
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import DIAGNOSTICS
from tests.scenarios.running.two_causes import (
    APART,
    DIFFICULTY,
    HIDDEN,
    Pair,
    load_background,
    load_proof,
    make_scenario,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from env_core.episode import Episode
    from env_core.reference import RewardMode
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action

PROOF = load_proof(APART)
OTHER = PROOF.second
assert OTHER is not None
LOOKS = [look_at(item) for item in PROOF.certificates[0]]
"""They tell the first cause."""
OTHER_LOOKS = [look_at(item) for item in OTHER.certificates[0]]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return make_scenario(APART)


@pytest.fixture(scope="module")
def repairs(scenario: Scenario) -> tuple[Action, Action]:
    """What mends the first cause, and what mends the second."""
    other, first = scenario.incident.plan.steps
    assert (other.on, first.target) == (APART.second.component, APART.first.component)
    return carry_out(first), carry_out(other)


@pytest.fixture(scope="module")
def answer(scenario: Scenario) -> Action:
    return play_perfectly(scenario.incident, scenario.task)[-1]


def play(scenario: Scenario, actions: Sequence[Action], reward_mode: RewardMode = "dense") -> Episode:
    episode = begin("e", Reference.to(scenario, reward_mode), scenario)
    for action in actions:
        episode = step(episode, action).episode
    return episode


def get_score(episode: Episode) -> float:
    assert episode.grade is not None
    return episode.grade.score


def get_points(episode: Episode, name: str) -> float:
    assert episode.grade is not None
    return float(next(point.points for point in episode.grade.breakdown if point.name == name))


def get_known(episode: Episode) -> list[float]:
    """How much is known of each cause."""
    return [float(cause.share) for cause in find_knowledge(PROOF, episode.seen).causes]


@pytest.mark.slow
@pytest.mark.parametrize("pair", [APART, HIDDEN])
def test_they_are_proved_as_it_is_written_down(pair: Pair) -> None:
    assert prove(load_background(), pair.first, DIFFICULTY, pair.second) == load_proof(pair)


@pytest.mark.parametrize("pair", [APART, HIDDEN])
def test_perfect_play_scores_everything_whenever_it_is_told(pair: Pair) -> None:
    scenario = make_scenario(pair)
    perfect = play_perfectly(scenario.incident, scenario.task)
    dense, terminal = (play(scenario, perfect, mode) for mode in ("dense", "terminal"))
    assert get_score(dense) == get_score(terminal) == 1.0
    assert dense.grade == terminal.grade


def test_nobody_earns_much_without_knowing_or_without_repairing(
    scenario: Scenario, repairs: tuple[Action, Action], answer: Action
) -> None:
    blind = play(scenario, [*repairs, answer])
    assert blind.wrong == 0
    assert get_score(blind) <= 0.2
    assert get_score(play(scenario, [*LOOKS, *OTHER_LOOKS, answer])) <= 0.2


def test_what_the_first_cause_hides_is_looked_for_when_it_is_repaired() -> None:
    scenario = make_scenario(HIDDEN)
    pause = scenario.incident.plan.pause
    assert pause is not None
    *before, answer = play_perfectly(scenario.incident, scenario.task)
    of_second = {look_at(item).step for item in pause.looks}
    places = [place for place, action in enumerate(before) if action.step in of_second]
    repair = next(place for place, action in enumerate(before) if action.name not in DIAGNOSTICS)
    assert repair < min(places)
    moved = [action for place, action in enumerate(before) if place not in places]
    early = play(scenario, [*(before[place] for place in places), *moved, answer])
    assert get_score(early) < get_score(play(scenario, [*before, answer])) == 1.0


def test_who_repairs_one_cause_has_saved_a_part_and_what_is_known_of_the_other_counts_until_the_answer(
    scenario: Scenario, repairs: tuple[Action, Action], answer: Action
) -> None:
    half = play(scenario, [*LOOKS, repairs[0], answer])
    assert get_known(half)[0] == 1
    assert get_known(half)[1] < 1
    found = play(scenario, [*LOOKS, repairs[0], *OTHER_LOOKS, answer])
    assert get_known(found) == [1, 1]
    assert get_points(half, "plan") < get_points(found, "plan") < 0.3
    assert get_score(found) < 0.6


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_each_cause_may_be_found_and_repaired_by_itself(
    scenario: Scenario, repairs: tuple[Action, Action], answer: Action, order: tuple[int, int]
) -> None:
    looks = LOOKS, OTHER_LOOKS
    first, second = order
    told = play(scenario, [*looks[first], repairs[first], *looks[second], repairs[second], answer])
    assert get_known(told) == [1, 1]
    assert get_points(told, "plan") == 0.4


def test_what_is_seen_of_a_cause_after_its_repair_counts_for_the_other_one_alone(
    scenario: Scenario, repairs: tuple[Action, Action], answer: Action
) -> None:
    late = play(scenario, [repairs[0], *LOOKS, *OTHER_LOOKS, repairs[1], answer])
    assert get_known(late) == [0, 1]
    assert get_points(late, "plan") == pytest.approx(0.2)


def test_a_summary_that_names_one_cause_has_half_of_what_that_earns(
    scenario: Scenario, repairs: tuple[Action, Action], answer: Action
) -> None:
    whole = str(answer.parameters.model_dump()["summary"])
    sentences = [sentence for sentence in whole.split(". ") if not sentence.startswith("Another cause")]
    half = parse_action("submit_resolution", {"summary": ". ".join(["We were paged and looked around", *sentences])})
    looks = [*LOOKS, *OTHER_LOOKS]
    assert get_points(play(scenario, [*looks, *repairs, answer]), "summary") == pytest.approx(0.1)
    assert get_points(play(scenario, [*looks, *repairs, half]), "summary") == pytest.approx(0.08)


def test_the_debrief_tells_both(scenario: Scenario) -> None:
    episode = play(scenario, play_perfectly(scenario.incident, scenario.task))
    told = debrief(episode)
    assert told is not None
    assert (told["root_cause"], told["second_cause"]) == (APART.first.component, APART.second.component)
    assert len(told["causal_chain"]) == len(set(told["causal_chain"]))
    for fault in APART[:2]:
        assert any(f"({fault.component})" in sentence for sentence in told["causal_chain"])
    text = write_debrief(episode)
    assert f"started in {APART.first.component}, and beside it in {APART.second.component}" in text


def test_evidence_counts_for_each_cause_by_what_is_repaired_then() -> None:
    assert OTHER is not None
    plain = set(PROOF.certificates[0])
    assert find_knowledge(PROOF, plain).causes[0].left == 1
    of_other = {name_sighting(item, 1, later=False) for item in plain}
    assert find_knowledge(PROOF, of_other).causes[0].share == 0
    assert find_knowledge(PROOF, of_other).causes[1] == find_knowledge(PROOF, plain).causes[1]
    later = {name_sighting(item, 1, later=True) for item in OTHER.later_certificates[0]}
    assert find_knowledge(PROOF, later).causes[1].left == 1


def test_what_was_proved_before_has_one_cause_and_is_written_as_it_was() -> None:
    for (seed, difficulty), (_, proof) in list_proofs().items():
        if count_causes(seed, difficulty) == 1:
            assert proof.second is None
            assert not {"second", "later"} & proof.model_dump().keys()


@pytest.mark.parametrize("code", ["AC", "RCA"])
def test_a_task_that_takes_one_answer_is_not_set_on_two_causes(code: str) -> None:
    seed = (1 << 48) + (1 << 40)
    assert count_causes(seed, 4) == 2
    with pytest.raises(UnknownScenarioError, match=rf"is set in one task only: GEN2-RP-D4-{seed}"):
        Catalogue().get(f"GEN2-{code}-D4-{seed}")
