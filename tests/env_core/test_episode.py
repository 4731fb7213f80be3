"""The episode: rewards by the table, refusals, the end, and that it is a pure fold."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_incident.evaluation.audit import draw_random_play
from cloud_incident.evaluation.running import play_actions
from env_core.episode import Episode, begin, replay
from env_core.observation import Observation, debrief, observe, read_state
from env_core.perfect import play_perfectly
from env_core.reference import Reference, StaleReferenceError
from env_core.transition import step
from scenarios.parsing import InvalidActionError, parse_action
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.vocabulary import Action


def act(action_type: str, **parameters: Any) -> Action:
    return parse_action(action_type, parameters)


def rewards(episode: Episode) -> list[float]:
    return [step.reward / 10_000 for step in episode.steps]


FLAG = act("disable_feature_flag", flag="full_history_export")
LOGS = act("query_logs", service="postgres-db")
METRICS = act("check_metrics", service="postgres-db")


@pytest.mark.parametrize(
    ("scenario_id", "actions", "expected"),
    [
        ("AC-001", [act("query_logs", service="api-gateway")], [0.04]),
        ("AC-001", [act("query_logs", service="nowhere")], [-0.06]),
        ("AC-001", [act("restart_service", service="api-gateway")], [-0.08]),
        ("AC-001", [act("query_logs", service="api-gateway")] * 3, [0.04, -0.07, -0.22]),
        ("RCA-001", [LOGS, METRICS, LOGS], [0.04, 0.02, -0.04]),
        ("RCA-001", [act("query_logs", service="nowhere")], [-0.06]),
        ("RCA-001", [FLAG, FLAG], [0.06, 0.0]),
        ("RCA-001", [act("clear_cache", service="postgres-db")], [-0.10]),
        ("RCA-001", [LOGS] * 10, [0.04] + [-0.04] * 4 + [-0.06] * 4 + [-0.21]),
        ("RP-001", [LOGS, METRICS, LOGS], [0.03, 0.01, -0.03]),
        ("RP-001", [act("query_logs", service="nowhere")], [-0.05]),
        ("RP-001", [act("restart_service", service="order-service"), FLAG], [0.0, 0.06]),
        ("RP-001", [act("execute_runbook_step", runbook_action="verify_queue_lag")], [0.0]),
        ("RP-001", [act("execute_runbook_step", runbook_action="restore_bgp_routes")], [-0.15]),
        ("RP-001", [act("scale_service", service="nowhere", replicas=3)], [-0.15]),
        ("RP-001", [LOGS] * 15, [0.03] + [-0.03] * 6 + [-0.05] * 7 + [-0.25]),
    ],
)
def test_rewards_by_the_table(
    catalogue: Catalogue, scenario_id: str, actions: list[Action], expected: list[float]
) -> None:
    episode = play_actions(catalogue.get(scenario_id), actions)
    assert rewards(episode) == expected
    assert episode.cumulative_reward == pytest.approx(sum(expected))


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (act("disable_feature_flag", flag="nope"), "There is no feature flag 'nope'"),
        (act("restart_service", service="nope"), "Known services: analytics-service"),
        (act("restart_service", service="postgres"), "Did you mean postgres-db?"),
    ],
)
def test_what_does_not_exist_is_said_and_counts_as_wrong(catalogue: Catalogue, action: Action, said: str) -> None:
    episode = play_actions(catalogue.get("RP-001"), [action])
    assert rewards(episode) == [-0.15]
    assert said in (episode.steps[0].error or "")
    assert episode.wrong == 1


@pytest.mark.parametrize(
    ("scenario_id", "action", "said"),
    [
        ("AC-001", act("submit_root_cause", service="a", failure_mode="b"), "alert_classification ends with"),
        ("AC-001", act("submit_severity", severity="P1", service="gateway"), "Did you mean api-gateway?"),
        ("AC-001", act("execute_runbook_step", runbook_action="nope"), "There is no runbook step 'nope'."),
        ("RCA-001", act("submit_severity", severity="P1"), "root_cause_analysis ends with submit_root_cause"),
        ("RCA-001", act("submit_root_cause", service="postgres", failure_mode="b"), "Did you mean postgres-db?"),
        ("RP-001", act("submit_severity", severity="P1"), "remediation_planning ends with submit_resolution"),
        ("RP-001", act("execute_runbook_step", runbook_action="verify_db_helth"), "Did you mean verify_db_health"),
    ],
)
def test_a_slip_is_no_step_and_the_closest_name_is_told(
    catalogue: Catalogue, scenario_id: str, action: Action, said: str
) -> None:
    scenario = catalogue.get(scenario_id)
    episode = begin("slipped", Reference.to(scenario), scenario)
    with pytest.raises(InvalidActionError, match=re.escape(said)):
        step(episode, action)
    with pytest.raises(InvalidActionError, match=re.escape(said)):
        list(replay("slipped", episode.reference, [action.dump()], catalogue))


def test_the_same_query_is_free_once_a_fix_has_changed_it(catalogue: Catalogue) -> None:
    deploys = act("check_recent_deploys", service="analytics-service")
    episode = play_actions(catalogue.get("RP-001"), [deploys, FLAG, deploys, deploys])
    assert rewards(episode) == [0.03, 0.06, 0.0, -0.03]


def test_running_out_of_steps_ends_with_nothing(scenario: Scenario) -> None:
    look = act("query_logs", service=scenario.incident.services[0])
    episode = play_actions(scenario, [look] * scenario.task.max_steps)
    assert episode.done
    assert episode.truncated
    assert episode.grade is not None
    assert episode.grade.score == 0.0


def test_the_submission_on_the_last_step_counts(scenario: Scenario) -> None:
    look = act("query_logs", service=scenario.incident.services[0])
    answer = play_perfectly(scenario.incident, scenario.task)[-1]
    episode = play_actions(scenario, [look] * (scenario.task.max_steps - 1) + [answer])
    assert episode.done
    assert not episode.truncated
    assert rewards(episode)[-1] == (episode.grade.score if episode.grade else None)


def test_terminal_mode_says_nothing_before_the_end(scenario: Scenario) -> None:
    actions = play_perfectly(scenario.incident, scenario.task)
    episode = play_actions(scenario, actions, "terminal")
    assert rewards(episode) == [0.0] * (len(actions) - 1) + [1.0]
    for taken in episode.steps[:-1]:
        assert not taken.events
        for word in ("took effect", "did not help", "nothing", "+0", "-0"):
            assert word not in taken.feedback


def test_terminal_mode_does_not_say_that_the_impossible_was_done(catalogue: Catalogue) -> None:
    missteps = [act("restart_service", service="nope"), act("query_logs", service="nope")]
    episode = play_actions(catalogue.get("RP-001"), missteps, "terminal")
    assert [step.feedback for step in episode.steps] == ["There is nothing of that name to act on.", "No such service."]


def test_the_observation_has_fourteen_fields(scenario: Scenario) -> None:
    episode = play_actions(scenario, [act("query_logs", service=scenario.incident.services[0])])
    shown = observe(episode)
    assert tuple(shown) == tuple(Observation.__annotations__)
    assert len(shown) == 14
    assert len(shown) == 14
    assert shown["queried_data"]["query_logs"][scenario.incident.services[0]].startswith(scenario.incident.services[0])
    assert json.loads(json.dumps(shown)) == shown


def test_the_debrief_waits_for_the_end(scenario: Scenario) -> None:
    actions = play_perfectly(scenario.incident, scenario.task)
    assert debrief(play_actions(scenario, actions[:-1])) is None
    told = debrief(play_actions(scenario, actions))
    assert told is not None
    assert told["root_cause"] == scenario.incident.truth.service
    assert [(pair["from"], pair["to"]) for pair in told["spread"]] == list(scenario.incident.truth.spread)


@given(seed=st.integers(0, 10_000))
def test_replay_gives_the_same_state(scenario: Scenario, catalogue: Catalogue, seed: int) -> None:
    episode = play_actions(scenario, draw_random_play(scenario, seed))
    stored = json.loads(json.dumps([step.action.dump() for step in episode.steps]))
    *_, again = replay("played", episode.reference, stored, catalogue)
    assert json.dumps(read_state(again)) == json.dumps(read_state(episode))
    assert again.grade == episode.grade


@pytest.mark.parametrize("changed", [{"digest": "0" * 64}, {"rules": "0"}, {"scenario_id": "RCA-999"}])
def test_a_reference_that_no_longer_matches_is_refused(catalogue: Catalogue, changed: dict[str, str]) -> None:
    reference = Reference.to(catalogue.get("RCA-001"))
    stale = Reference(**{**{name: getattr(reference, name) for name in reference.__slots__}, **changed})
    with pytest.raises(StaleReferenceError):
        list(replay("x", stale, [], catalogue))


@given(seed=st.integers(0, 10_000))
def test_invariants_of_any_play(scenario: Scenario, seed: int) -> None:
    episode = play_actions(scenario, draw_random_play(scenario, seed))
    assert episode.step_count <= TASKS[scenario.task.id].max_steps
    assert all(-1.0 <= reward <= 1.0 for reward in rewards(episode))
    assert [step.number for step in episode.steps] == list(range(1, episode.step_count + 1))
    assert episode.done == (
        episode.step_count == scenario.task.max_steps or episode.steps[-1].action.name == scenario.task.submission.name
    )


def test_a_log_line_that_was_shown_may_be_quoted(catalogue: Catalogue) -> None:
    scenario = catalogue.get("GEN1-RCA-D5-24")
    root = scenario.incident.truth.service
    line = "image garbage collection freed 0 bytes"
    *looks, answer = play_perfectly(scenario.incident, scenario.task)
    logs = act("query_logs", service=root)
    said = f"{answer.parameters.model_dump()['failure_mode']} Its log: {line}"
    quoting = act("submit_root_cause", service=root, failure_mode=said)
    shown = play_actions(scenario, [*looks, logs, quoting])
    assert any(line in step.evidence.text for step in shown.steps if step.evidence)
    assert shown.grade is not None
    points = {point.name: point for point in shown.grade.breakdown}
    assert points["failure mode"].points == points["failure mode"].most


def test_the_first_late_step_alone_is_told_that_rewards_are_no_part_of_the_score(catalogue: Catalogue) -> None:
    episode = play_actions(catalogue.get("RCA-001"), [LOGS] * 9)
    late = [step.feedback for step in episode.steps if "Second half of the steps (reward -0.02)." in step.feedback]
    assert [step.feedback for step in episode.steps[5:]] == late
    told = [step.number for step in episode.steps if "no part of the score" in step.feedback]
    assert told == [6]
    assert not any("More than half" in step.feedback for step in episode.steps)
