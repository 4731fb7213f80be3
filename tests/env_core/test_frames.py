"""Frames: each holds what was shown by then, and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from env_core.briefing import draw_service_map
from env_core.episode import advance, begin
from env_core.frames import draw_frame, draw_frames
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.selection import Selection
from scenarios.parsing import parse_action
from tests.secrets_of import secrets_of

if TYPE_CHECKING:
    from env_core.episode import Episode
    from scenarios.catalogue import Catalogue, Scenario

GENERATED = Selection(task_id="remediation_planning", seed=11, difficulty=4)


def _played(scenario: Scenario) -> list[Episode]:
    """The moments of a perfect play."""
    moments = [begin("played", Reference.to(scenario), scenario)]
    for action in play_perfectly(scenario.incident, scenario.task):
        moments.append(advance(moments[-1], action))
    return moments


def test_frames_of_an_episode_are_those_of_its_moments(scenario: Scenario) -> None:
    moments = _played(scenario)
    assert draw_frames(moments[-1]) == [draw_frame(moment) for moment in moments]
    assert draw_frames(moments[1]) == [draw_frame(moment) for moment in moments[:2]]
    assert draw_frames(moments[2], since=2) == [draw_frame(moments[2])]


def test_a_frame_shows_its_step(scenario: Scenario) -> None:
    for number, moment in enumerate(_played(scenario)):
        shown = draw_frame(moment, "said")
        last = moment.last
        assert (shown["step"]["step"] if shown["step"] else 0) == number
        assert shown["service_map"] == draw_service_map(moment)
        assert shown["note"] == "said"
        told = {last.action.name: {last.action.target: last.evidence.text}} if last and last.evidence else {}
        assert shown["observation"]["queried_data"] == told
        assert (shown["evidence"] is None) is (not told)
        assert json.loads(json.dumps(shown)) == shown


def test_the_truth_stands_in_the_last_frame_alone(scenario: Scenario) -> None:
    *before, last = draw_frames(_played(scenario)[-1])
    assert last["grade"]["score"] == 1.0
    assert last["debrief"]["root_cause"] == scenario.incident.truth.service
    assert not any("grade" in one or "debrief" in one for one in before)


def test_before_the_end_nothing_beyond_what_steps_showed(scenario: Scenario) -> None:
    _holds_no_secret(scenario, _played(scenario)[:-1])


def test_nor_of_a_generated_incident(catalogue: Catalogue) -> None:
    scenario = catalogue.get(GENERATED.choose(catalogue).scenario_id)
    _holds_no_secret(scenario, _played(scenario)[:-1])


def _holds_no_secret(scenario: Scenario, moments: list[Episode]) -> None:
    """What frames say beside the evidence, the alert and the actions themselves tells nothing of the truth."""
    for moment in moments:
        shown: dict[str, Any] = {**draw_frame(moment), "evidence": None}
        observed = {**shown["observation"], "queried_data": {}, "alert": {}, "incident_summary": "", "feedback": ""}
        names: dict[str, list[str]] = {"known_services": [], "available_actions": []}
        said = json.dumps({**shown, "step": None, "observation": {**observed, **names}, "service_map": {}})
        for name, pattern in secrets_of(scenario).items():
            assert not pattern.search(said), name
        queried = {action for one in shown["service_map"]["services"] for action in one["queried"]}
        assert queried <= {action for action, _ in moment.shown}


def test_a_mistake_is_a_frame_too(catalogue: Catalogue) -> None:
    scenario = catalogue.get("RP-001")
    episode = begin("played", Reference.to(scenario), scenario)
    shown = draw_frame(advance(episode, parse_action("query_logs", {"service": "nowhere"})))
    assert shown["evidence"] is None
    assert shown["step"] is not None
    assert shown["step"]["error"] == shown["observation"]["last_action_error"]
    assert "There is no service" in str(shown["step"]["error"])
