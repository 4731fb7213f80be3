"""Where nothing is to be repaired: who knows it and does no harm has all; who only says so, next to nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from env_core.briefing import write_briefing, write_debrief
from env_core.episode import begin
from env_core.observation import debrief
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.drawing import draw
from scenarios.generator.naming import region_of
from scenarios.parsing import parse_action
from scenarios.progress import Outcome
from scenarios.proofs import Proof
from scenarios.proofs.calm import admits_calm
from scenarios.running.listed import list_calm, list_proofs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from env_core.episode import Episode
    from env_core.reference import RewardMode
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action

EASIEST = min(list_calm(), key=lambda drawn: (drawn[1], drawn[0]))
OTHER = min(list_proofs().keys() - list_calm(), key=lambda drawn: (drawn[1], drawn[0]))
_MOST_OF_A_SPLIT = 0.05
_UNSEEN = 0.2


def get(code: str, drawn: tuple[int, int]) -> Scenario:
    seed, difficulty = drawn
    return Catalogue().get(f"GEN2-{code}-D{difficulty}-{seed}")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return get("RP", EASIEST)


@pytest.fixture(scope="module")
def perfect(scenario: Scenario) -> list[Action]:
    return play_perfectly(scenario.incident, scenario.task)


def play(scenario: Scenario, actions: Sequence[Action], reward_mode: RewardMode = "dense") -> Episode:
    episode = begin("e", Reference.to(scenario, reward_mode), scenario)
    for action in actions:
        episode = step(episode, action).episode
    return episode


def score(scenario: Scenario, actions: Sequence[Action]) -> float:
    episode = play(scenario, actions)
    assert episode.grade is not None
    return episode.grade.score


def earned(episode: Episode) -> dict[str, float]:
    assert episode.grade is not None
    return {point.name: float(point.points) for point in episode.grade.breakdown}


def submit(summary: str) -> Action:
    return parse_action("submit_resolution", {"summary": summary})


def write_rightly(perfect: Sequence[Action], left: str) -> Action:
    """The perfect summary with something else at its end than that all was left alone."""
    told = str(perfect[-1].parameters.model_dump()["summary"])
    return submit(told.partition("No repair")[0] + left)


def act(name: str, **parameters: str) -> Action:
    return parse_action(name, parameters)


def test_few_of_each_split_need_no_repair() -> None:
    of_split = Counter(region_of(seed) for seed, _ in list_proofs())
    calm = Counter(region_of(seed) for seed, _ in list_calm())
    assert calm
    assert all(count <= _MOST_OF_A_SPLIT * of_split[split] for split, count in calm.items())


def test_a_seed_decides_whether_a_draw_may_need_no_repair() -> None:
    assert all(admits_calm(draw(*drawn).background.seed) for drawn in list_calm())
    admitted = sum(map(admits_calm, range(3000)))
    assert 900 < admitted < 1100


def test_a_proof_says_why_and_writes_it_only_where_there_is_nothing_to_repair() -> None:
    for drawn, (_, proof) in list_proofs().items():
        written = proof.model_dump(mode="json")
        assert ("calm" in written) == (drawn in list_calm()) == (not proof.repairs)
        assert Proof.model_validate(written) == proof


@pytest.mark.parametrize("code", ["RCA", "RP"])
def test_perfect_play_looks_and_leaves_all_alone(code: str) -> None:
    scenario = get(code, EASIEST)
    actions = play_perfectly(scenario.incident, scenario.task)
    assert all(action.declaration.kind == "diagnostic" for action in actions[:-1])
    assert score(scenario, actions) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("drawn", sorted(list_calm()), ids=str)
def test_perfect_play_of_each_scores_everything(drawn: tuple[int, int]) -> None:
    scenario = get("RP", drawn)
    assert score(scenario, play_perfectly(scenario.incident, scenario.task)) == 1.0


def test_who_has_not_looked_earns_a_fifth_at_most(scenario: Scenario, perfect: list[Action]) -> None:
    root = scenario.incident.truth.service
    boast = submit(
        f"It started in {root}. We restarted {root} and rolled back {root}. All of its users are served again."
    )
    assert score(scenario, perfect[-1:]) <= _UNSEEN  # it even knows the cause
    assert score(scenario, [boast]) <= _UNSEEN


def test_who_knows_less_than_nine_tenths_has_guessed(scenario: Scenario, perfect: list[Action]) -> None:
    first, *_, pager, answer = perfect
    known = scenario.incident.know(scenario.task.id, {(first.name, first.target)}).share
    assert 0 < known < 0.9
    episode = play(scenario, [first, pager, answer])
    assert earned(episode)["plan"] == earned(episode)["verified recovery"] == 0
    assert sum(earned(episode).values()) <= _UNSEEN


def test_who_does_harm_has_repaired_nothing(scenario: Scenario, perfect: list[Action]) -> None:
    restart = act("restart_service", service="pixels")
    for mode in ("dense", "terminal"):
        episode = play(scenario, [*perfect[:-1], restart, perfect[-1]], "dense" if mode == "dense" else "terminal")
        assert [each.outcome for each in episode.steps if each.outcome] == [Outcome.WRONG]
        assert earned(episode)["plan"] == earned(episode)["efficiency"] == earned(episode)["verified recovery"] == 0
        assert sum(earned(episode).values()) <= _UNSEEN


def test_a_repair_that_is_harmless_costs_a_step_and_has_to_be_told(scenario: Scenario, perfect: list[Action]) -> None:
    root = scenario.incident.truth.service
    rollback = act("rollback_deploy", service=root)
    told = write_rightly(perfect, f"We rolled back {root} to be sure.")
    assert score(scenario, [*perfect[:-1], rollback, told]) == 1.0
    assert score(scenario, [*perfect[:-1], rollback, perfect[-1]]) == 0.98


def test_repairs_that_nobody_made_cost_what_they_cost_elsewhere(scenario: Scenario, perfect: list[Action]) -> None:
    root = scenario.incident.truth.service
    claimed = write_rightly(perfect, f"We rolled back {root}.")
    boasted = write_rightly(perfect, f"We rolled back {root}. We restarted {root}. We scaled {root}.")
    assert score(scenario, [*perfect[:-1], claimed]) == pytest.approx(1.0 - 0.02 - 0.04)
    assert score(scenario, [*perfect[:-1], boasted]) == 0.9


def test_the_summary_says_what_paged_why_and_what_was_left_alone(scenario: Scenario, perfect: list[Action]) -> None:
    looks = perfect[:-1]
    sentences = str(perfect[-1].parameters.model_dump()["summary"]).split(". ")
    for number in range(len(sentences)):
        without = ". ".join(part for place, part in enumerate(sentences) if place != number)
        assert 0.9 < score(scenario, [*looks, submit(without)]) < 1.0


def test_the_briefing_tells_no_more_than_any_other(scenario: Scenario) -> None:
    told, other = (write_briefing(begin("e", Reference.to(each), each)) for each in (scenario, get("RP", OTHER)))
    assert told.rpartition("\n\n")[2] == other.rpartition("\n\n")[2]
    assert "need no repair" in told


def test_the_debrief_says_that_nothing_was_to_be_repaired(scenario: Scenario, perfect: list[Action]) -> None:
    episode = play(scenario, perfect)
    assert "Nothing was to be repaired. It was over before on-call looked" in write_debrief(episode)
    told = debrief(episode)
    assert told is not None
    assert told["plan"] == []
    curves = told["review"]["curves"]
    assert curves["best_repair"] == ["nothing"]
    assert curves["as_left"] == curves["with_nothing_done"] == curves["with_the_best_repair"]
    verdicts = [each["verdict"] for each in told["review"]["steps"]]
    assert verdicts == ["told"] * (len(perfect) - 2) + ["recovery"]


def test_who_looks_at_the_pager_first_is_told_what_that_ruled_out(scenario: Scenario, perfect: list[Action]) -> None:
    told = debrief(play(scenario, [perfect[-2], *perfect[:-2], perfect[-1]]))
    assert told is not None
    assert told["review"]["explanations"] == []
