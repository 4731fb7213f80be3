"""Frames say what the public surface says, and before the end nothing of the truth."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from cloud_incident.evaluation.agents import AGENTS, EXPLOITS
from env_core.episode import advance, begin
from env_core.frames import Frame
from env_core.frames import draw_frame as frame_of
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from scenarios.parsing import parse_action
from tests.cloud_incident.console.listening import watch_run
from tests.http_compat.talking import read_answer
from tests.secrets_of import MISSTEPS, secrets_of, telling
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx2

    from env_core.episode import Episode
    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.vocabulary import Action

GENERATED = ("GEN1-AC-D2-7", "GEN1-RCA-D4-11", "GEN1-RP-D3-42")
_SHAPE = TypeAdapter(Frame)


def fold(scenario: Scenario, actions: Sequence[Action], **options: Any) -> list[Episode]:
    first = begin("folded", Reference.to(scenario, **options), scenario)
    return list(accumulate(actions, advance, initial=first))


def test_frames_of_an_unfinished_episode_hold_nothing_that_only_its_scenario_would(
    scenario: Scenario, catalogue: Catalogue
) -> None:
    """As for every other surface: steps that show nothing tell nothing."""

    def list_lines(played: Scenario) -> set[str]:
        steps = [parse_action(*misstep) for misstep in MISSTEPS[: played.task.max_steps - 1]]
        frames = [frame_of(episode) for episode in fold(played, steps)]
        alerting = set(played.incident.alert["affected_services"])
        for service in (service for frame in frames for service in frame["service_map"]["services"]):
            assert service.pop("alerting") is (service["name"] in alerting)  # else all services stand alike
        pieces = (json.dumps(frame, ensure_ascii=False) for frame in frames)
        return {line for piece in pieces for line in re.split(r"\\n|(?<=[}\]]),|(?<=\[)(?={)", piece)}

    other = next(candidate for candidate in catalogue.of_task(scenario.task.id) if candidate.id != scenario.id)
    text = telling(scenario, list_lines(scenario), list_lines(other))
    assert scenario.incident.alert["name"] in text
    for name, pattern in secrets_of(scenario).items():
        assert not (found := pattern.search(text)), (name, text[found.start() - 80 : found.end() + 80])


@pytest.mark.slow
@pytest.mark.parametrize("agent", [*AGENTS, *EXPLOITS])
@pytest.mark.parametrize("scenario_id", mark_slow_after(4, ["AC-002", "RCA-001", "RP-003", *reversed(GENERATED)]))
def test_frames_of_a_run_tell_nothing_but_what_its_evidence_did(
    api: httpx2.Client, catalogue: Catalogue, agent: str, scenario_id: str
) -> None:
    scenario = catalogue.get(scenario_id)
    *before, last = watch_run(api, agent, scenario_id=scenario_id).frames.values()
    assert last["observation"]["done"]
    assert last["debrief"]["causal_chain"] == list(scenario.incident.account.chain)
    assert 0.0 <= last["grade"]["score"] <= 1.0
    public = json.dumps(frame_of(fold(scenario, [])[0]), ensure_ascii=False)
    for frame in before:
        assert not {"grade", "debrief"} & {*frame, *frame["info"]}
        public += _name_step(frame) + json.dumps(frame["evidence"], ensure_ascii=False)
        public += "".join(text for shown in frame["observation"]["queried_data"].values() for text in shown.values())
        rest = json.dumps({**frame, "evidence": None}, ensure_ascii=False)
        for name, pattern in secrets_of(scenario).items():
            assert not pattern.search(rest) or pattern.search(public), (name, rest)


def _name_step(frame: dict[str, Any]) -> str:
    """What the agent did itself, as its parameters and as a sentence have it."""
    if frame["step"] is None:
        return ""
    action = frame["step"]["action"]
    return f"{json.dumps(action)} {parse_action(action['action_type'], action['parameters']).step}"


@pytest.mark.parametrize("scenario_id", ["RP-001", "RCA-002", "AC-003"])
@pytest.mark.parametrize("mode", ["dense", "terminal"])
def test_a_frame_is_what_rest_answers(api: httpx2.Client, catalogue: Catalogue, scenario_id: str, mode: str) -> None:
    """Whoever plays can have the frames of it, and could make every one itself."""
    scenario = catalogue.get(scenario_id)
    actions = play_perfectly(scenario.incident, scenario.task)
    reset = {"scenario_id": scenario_id, "observation": "delta", "reward_mode": mode}
    answer = read_answer(api.post("/reset", json=reset))
    named = {"episode_id": answer["observation"]["episode_id"]}
    shown: list[dict[str, Any]] = []
    for index, episode in enumerate(fold(scenario, actions, reward_mode=mode)):
        if index:
            answer = read_answer(api.post("/step", json={**actions[index - 1].dump(), **named}))
        frame = json.loads(json.dumps(frame_of(episode._replace(id=named["episode_id"]), "noted")))
        _SHAPE.validate_python(frame)
        assert frame["observation"] == answer["observation"]
        assert {**answer["info"], **frame["info"]} == answer["info"]
        assert frame["note"] == "noted"
        assert read_answer(api.get("/frames", params={**named, "since": index}))["frames"] == [{**frame, "note": ""}]
        history = read_answer(api.get("/state", params=named))["history"]
        assert frame["step"] == (history[-1] if history else None)
        if frame["evidence"]:
            item = _name_item(frame["evidence"])
            shown = [*(earlier for earlier in shown if _name_item(earlier) != item), frame["evidence"]]
        evidence = read_answer(api.get("/evidence", params=named))["evidence"]
        assert sorted(evidence, key=_name_item) == sorted(shown, key=_name_item)
    graded = read_answer(api.get("/grader", params=named))
    assert frame["grade"] == {name: graded[name] for name in ("score", "breakdown")}
    assert frame["debrief"] == graded["debrief"]
    assert frame["grade"]["score"] == 1.0


def _name_item(evidence: dict[str, Any]) -> tuple[str, str]:
    return evidence["action"], evidence["service"]
