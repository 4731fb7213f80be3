"""Episodes on incidents that run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from env_core.episode import Episode, advance, begin, replay
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from scenarios.catalogue import Catalogue
from scenarios.parsing import parse_action
from scenarios.running import list_running

if TYPE_CHECKING:
    from scenarios.vocabulary import Action

SCENARIOS = ("LIVE-RCA-001", "LIVE-RP-001")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue()


def play(catalogue: Catalogue, name: str, *actions: Action) -> list[Episode]:
    """An episode before its first action and after each."""
    scenario = catalogue.get(name)
    episodes = [begin("id", Reference.to(scenario), scenario)]
    for action in actions:
        episodes.append(advance(episodes[-1], action))
    return episodes


def look_at(service: str, diagnostic: str = "check_metrics") -> Action:
    return parse_action(diagnostic, {"service": service})


def test_they_are_found_by_name_and_listed_in_no_split(catalogue: Catalogue) -> None:
    assert set(list_running()) == set(SCENARIOS)
    listed = {entry.id for split in catalogue.splits for entry in catalogue.split(split)[:50]}
    assert not listed & set(SCENARIOS)
    assert catalogue.entry("live-rp-001").task.id == "remediation_planning"


@pytest.mark.parametrize("name", SCENARIOS)
def test_perfect_play_earns_everything(catalogue: Catalogue, name: str) -> None:
    scenario = catalogue.get(name)
    last = play(catalogue, name, *play_perfectly(scenario.incident, scenario.task))[-1]
    assert last.grade is not None
    assert last.grade.score == 1.0


def test_the_page_is_what_users_lived_through(catalogue: Catalogue) -> None:
    alert = catalogue.get("LIVE-RP-001").incident.alert
    assert alert["affected_services"] == ["api-gateway", "auth-service", "order-service"]
    assert any("sign-in" in symptom and "100 %" in symptom for symptom in alert["symptoms"])
    assert not any("postgres" in str(value) or "analytics" in str(value) for value in alert.values())


def test_time_passes_with_every_look(catalogue: Catalogue) -> None:
    _, first, again = play(catalogue, "LIVE-RCA-001", look_at("order-service"), look_at("order-service"))
    shown = [episode.steps[-1].evidence for episode in (first, again)]
    assert shown[0] is not None
    assert shown[1] is not None
    assert shown[0].as_of < shown[1].as_of


WATCH = parse_action("execute_runbook_step", {"runbook_action": "watch"})
RESTART = parse_action("restart_service", {"service": "auth-service"})


@pytest.mark.parametrize(
    ("between", "event"),
    [
        ([], "hasty_query"),
        ([look_at("postgres-db")] * 3, "hasty_query"),
        (
            [look_at("postgres-db"), *(look_at(name) for name in ("auth-service", "api-gateway") * 2)],
            "changed_evidence",
        ),
        ([WATCH], "changed_evidence"),
        ([RESTART], "changed_evidence"),
    ],
    ids=["at once", "after three minutes", "after five minutes", "after a watch", "after a restart"],
)
def test_who_looks_again_at_once_pays_for_it(catalogue: Catalogue, between: list[Action], event: str) -> None:
    look = look_at("order-service")
    again = play(catalogue, "LIVE-RP-001", look, *between, look)[-1]
    rewards = again.task.rewards
    earned = {"hasty_query": rewards.repeated_query, "changed_evidence": 0}
    assert (event, earned[event]) in again.steps[-1].events


def test_an_operation_acts_whether_it_is_its_turn_or_not(catalogue: Catalogue) -> None:
    early = parse_action("restart_service", {"service": "auth-service"})
    *_, after = play(catalogue, "LIVE-RP-001", early, look_at("auth-service", "check_recent_deploys"))
    shown = after.steps[-1].evidence
    assert shown is not None
    assert "restart" in shown.text


def test_the_same_actions_give_the_same_bytes_whatever_others_did_meanwhile(catalogue: Catalogue) -> None:
    actions = [
        look_at("postgres-db", "query_logs"),
        parse_action("restart_service", {"service": "postgres-db"}),
        look_at("postgres-db", "query_logs"),
        look_at("order-service"),
    ]
    played = play(catalogue, "LIVE-RP-001", *actions)
    play(catalogue, "LIVE-RP-001", *(look_at("api-gateway") for _ in range(9)))
    play(catalogue, "LIVE-RP-001", *reversed(actions))
    fresh = Catalogue()
    dumped = [{"action_type": a.name, "parameters": a.parameters.model_dump()} for a in actions]
    again = list(replay("id", played[0].reference, dumped, fresh))
    assert [episode.steps for episode in again] == [episode.steps for episode in played]
    assert [e.steps for e in play(catalogue, "LIVE-RP-001", *actions)] == [e.steps for e in played]
