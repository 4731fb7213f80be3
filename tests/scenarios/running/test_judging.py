"""What is done about a proved incident is judged by what becomes of its users."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from env_core.briefing import write_debrief
from env_core.observation import debrief
from env_core.perfect import look_at, play_perfectly
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.parsing import parse_action
from scenarios.progress import Outcome
from scenarios.running.incident import RunningIncident
from scenarios.running.judging import Judge, Verdict
from scenarios.running.listed import list_proofs
from scenarios.running.shared import Ordered
from scenarios.vocabulary import DIAGNOSTICS
from tests.proved import ONE_STEP, name_repair, play

if TYPE_CHECKING:
    from env_core.episode import Episode
    from scenarios.catalogue import Scenario
    from scenarios.incident import Incident
    from scenarios.running.shared import Orders

PROOF = list_proofs()[ONE_STEP].proof


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Catalogue().get(name_repair(ONE_STEP))


@pytest.fixture(scope="module")
def incident(scenario: Scenario) -> RunningIncident:
    assert isinstance(scenario.incident, RunningIncident)
    return scenario.incident


@pytest.fixture(scope="module")
def judge(incident: RunningIncident) -> Judge:
    assert incident.judge is not None
    return incident.judge


def find_worth(incident: Incident) -> str:
    """The journey that is worth most."""
    assert isinstance(incident, RunningIncident)
    return max(incident.system.journeys, key=lambda journey: journey.worth).name


def get_score(episode: Episode) -> float:
    assert episode.grade is not None
    return episode.grade.score


@pytest.mark.slow
def test_a_repair_is_effective_once_and_saves_what_can_be_saved(judge: Judge, incident: RunningIncident) -> None:
    (operation, target), *_ = PROOF.repairs[0]
    at = incident.first_look + 300
    order = Ordered(at, operation, target)
    assert judge.distance == 1
    assert judge.judge((), order, 1) == Verdict(Outcome.EFFECTIVE, 0)
    again = order._replace(at=at + 300)
    assert judge.judge((order,), again, 0)[0] is Outcome.INEFFECTIVE
    assert judge.measure((), at + 600, None) == 0
    assert judge.measure((order,), at + 600, at + 120) == 1


@pytest.mark.slow
def test_what_the_proof_says_is_what_a_simulation_says(judge: Judge, incident: RunningIncident) -> None:
    (operation, target), *_ = PROOF.repairs[0]
    order = Ordered(incident.first_look + 240, operation, target)
    assert judge._try((), order, 1) == judge.judge((), order, 1)


@pytest.mark.slow
def test_who_harms_users_is_wrong_and_saves_less(judge: Judge, incident: RunningIncident) -> None:
    at = incident.first_look + 300
    (operation, target), *_ = PROOF.repairs[0]
    repair = Ordered(at, operation, target)
    harm = Ordered(at + 120, "block_client", find_worth(incident))
    assert judge.judge((repair,), harm, 0)[0] is Outcome.WRONG
    assert judge.measure((repair, harm), at + 600, at + 120) < Fraction(1, 2)


@pytest.mark.slow
def test_what_there_is_not_is_wrong_and_what_does_nothing_costs_nothing(
    judge: Judge, incident: RunningIncident
) -> None:
    at = incident.first_look + 60
    assert judge.judge((), Ordered(at, "restart_service", "no-such-service"), 1)[0] is Outcome.WRONG
    zone = incident.system.zones[0]
    nothing = Verdict(Outcome.INEFFECTIVE, 1, acts_on_cause=False)
    assert judge.judge((), Ordered(at, "uncordon_zone", zone), 1) == nothing


@pytest.mark.slow
def test_nobody_earns_much_without_knowing_or_without_repairing(scenario: Scenario) -> None:
    perfect = play_perfectly(scenario.incident, scenario.task)
    looks = [action for action in perfect if action.name in DIAGNOSTICS]
    assert get_score(play(scenario, perfect)) == 1.0
    repair = [action for action in perfect if action.name not in DIAGNOSTICS]
    blind = play(scenario, repair)
    assert blind.wrong == 0
    assert get_score(blind) <= 0.2
    assert get_score(play(scenario, [*looks, perfect[-1]])) <= 0.2


@pytest.mark.slow
def test_the_review_says_what_each_step_told_or_did(scenario: Scenario) -> None:
    perfect = play_perfectly(scenario.incident, scenario.task)
    harm = parse_action(
        "execute_runbook_step", {"runbook_action": "block_client", "target": find_worth(scenario.incident)}
    )
    told = debrief(play(scenario, [perfect[0], *perfect[:-1], harm, perfect[-1]]))
    assert told is not None
    review = told["review"]
    verdicts = [reviewed["verdict"] for reviewed in review["steps"]]
    assert verdicts[:2] == ["told", "confirmed"]
    assert verdicts.count("effective") == 1
    assert verdicts[-1] == "wrong"
    assert "recovery" in verdicts
    assert review["explanations"] == []
    losses = review["losses"]
    assert losses["with_the_best_repair"] < losses["with_nothing_done"]
    assert losses["as_left"] > losses["with_the_best_repair"]
    text = write_debrief(play(scenario, perfect))
    assert "leaves 1 of" in text
    assert "nobody is served" in text


@pytest.mark.slow
def test_a_second_look_is_free(scenario: Scenario) -> None:
    first, *others = play_perfectly(scenario.incident, scenario.task)
    assert get_score(play(scenario, [first, look_at((first.name, first.target)), *others])) == 1.0


@pytest.mark.slow
def test_a_restart_of_what_is_well_is_wrong(judge: Judge, incident: RunningIncident) -> None:
    at = incident.first_look + 60
    restarts = (Ordered(at, "restart_service", name) for name in incident.services)
    assert any(judge.judge((), restart, 1)[0] is Outcome.WRONG for restart in restarts)


@pytest.mark.slow
def test_evidence_after_the_repair_counts_no_more_whatever_stands_in_its_way(scenario: Scenario) -> None:
    """Who first makes the repair of no use knows as little as who does it at once."""
    perfect = play_perfectly(scenario.incident, scenario.task)
    looks = [action for action in perfect[:-1] if action.name in DIAGNOSTICS]
    repair = next(action for action in perfect if action.name not in DIAGNOSTICS)
    client = find_worth(scenario.incident)
    block, unblock = (
        parse_action("execute_runbook_step", {"runbook_action": name, "target": client})
        for name in ("block_client", "unblock_client")
    )
    watch = parse_action("execute_runbook_step", {"runbook_action": "watch"})
    late = play(scenario, [block, repair, *looks[:-1], unblock, watch, looks[-1], perfect[-1]])
    assert get_score(late) <= 0.2


def test_what_is_claimed_of_the_runbook_and_was_not_done_costs(scenario: Scenario) -> None:
    *others, answer = play_perfectly(scenario.incident, scenario.task)
    boast = f"{answer.parameters.model_dump()['summary']} We executed drain_zone as well."
    claimed = parse_action("submit_resolution", {"summary": boast})
    assert get_score(play(scenario, [*others, claimed])) == pytest.approx(0.96)


def test_who_is_told_nothing_before_the_end_is_judged_at_the_end(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Ordered] = []
    judge_now = Judge.judge

    def judge(self: Judge, orders: Orders, order: Ordered, nearest: int) -> Verdict:
        asked.append(order)
        return judge_now(self, orders, order, nearest)

    monkeypatch.setattr(Judge, "judge", judge)
    *before, answer = play_perfectly(scenario.incident, scenario.task)
    asked.clear()
    waiting = play(scenario, before, reward_mode="terminal")
    assert not asked
    assert {each.outcome for each in waiting.steps} <= {None, Outcome.INEFFECTIVE}
    ended = step(waiting, answer).episode
    assert asked
    told = play(scenario, [*before, answer])
    assert ended.grade == told.grade
    assert [each.outcome for each in ended.steps] == [each.outcome for each in told.steps]
    assert [each.reward for each in ended.steps[:-1]] == [0] * len(before)


def test_who_runs_out_of_steps_is_judged_by_all_of_them(scenario: Scenario) -> None:
    root = scenario.incident.truth.service
    looks = [look_at((name, root)) for name in DIAGNOSTICS] * scenario.task.max_steps
    restart = parse_action("restart_service", {"service": scenario.incident.services[0]})
    actions = [restart, *looks][: scenario.task.max_steps]
    grades = [play(scenario, actions, reward_mode=mode).grade for mode in ("dense", "terminal")]
    assert grades[0] == grades[1]
    assert grades[0] is not None
