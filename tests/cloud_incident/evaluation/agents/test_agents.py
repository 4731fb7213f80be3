"""Scripted agents: legal, deterministic, in their order of merit, and cheats under their ceilings."""

from __future__ import annotations

import re
from statistics import mean
from typing import TYPE_CHECKING, Any

import pytest

from cloud_incident.evaluation.agents import AGENTS, EXPLOITS
from cloud_incident.evaluation.agents.agent import Seat
from cloud_incident.evaluation.agents.cheats import SideChannels
from cloud_incident.evaluation.running.environments import InProcess
from env_core.selection import Selection
from graders.severity import share_for_severity
from scenarios import catalogue as catalogues
from scenarios.catalogue import CURATED, Catalogue
from scenarios.vocabulary import SEVERITIES
from tests.conftest import CURATED_IDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloud_incident.evaluation.agents.agent import Agent
    from scenarios.catalogue import Scenario

pytestmark = pytest.mark.anyio

PLAYERS: dict[str, Callable[[Seat], Agent]] = AGENTS | {name: maker for name, (maker, _) in EXPLOITS.items()}
TASKS = {
    "alert_classification": CURATED_IDS[:3],
    "root_cause_analysis": CURATED_IDS[3:6],
    "remediation_planning": CURATED_IDS[6:],
}
RESPONDER = {"alert_classification": 1.0, "root_cause_analysis": 0.86, "remediation_planning": 0.72}
"""Means that the responder has reached."""
AHEAD = 0.25


async def played(
    maker: Callable[[Seat], Agent], scenario: Scenario, catalogue: Catalogue, seed: int = 0, **options: Any
) -> tuple[list[dict[str, Any]], float, bool]:
    """The actions of an episode, its score, and whether a submission ended it."""
    agent, environment = maker(Seat(scenario, seed)), InProcess(catalogue)
    reply = await environment.reset(Selection(scenario_id=scenario.id, **options))
    actions = []
    while not reply.done:
        decision = await agent.decide(reply.observation)
        actions.append(dict(decision.action))
        reply = await environment.step(decision.action)
    await agent.close()
    return actions, reply.info["grade"]["score"], reply.info["terminated"]


async def scores(name: str, catalogue: Catalogue) -> dict[str, float]:
    """Scenario by scenario what an agent earns."""
    return {one: (await played(PLAYERS[name], catalogue.get(one), catalogue))[1] for one in CURATED_IDS}


async def means(name: str, catalogue: Catalogue) -> dict[str, float]:
    """Task by task what an agent earns."""
    earned = await scores(name, catalogue)
    return {task: mean(earned[one] for one in ids) for task, ids in TASKS.items()}


@pytest.mark.parametrize("name", sorted(set(PLAYERS) - {"random"}))
async def test_an_agent_plays_legally_the_same_every_time_and_submits(
    name: str, scenario: Scenario, catalogue: Catalogue
) -> None:
    first = await played(PLAYERS[name], scenario, catalogue)
    assert first == await played(PLAYERS[name], scenario, catalogue)
    assert first[2], "ended without a submission"
    known = {*scenario.incident.services, *scenario.incident.flags}
    for action in first[0]:
        assert action["action_type"] in scenario.task.available_actions
        assert {action["parameters"].get("service"), action["parameters"].get("flag")} - {None} <= known


async def test_perfect_play_is_perfect_everywhere(catalogue: Catalogue) -> None:
    assert set((await scores("oracle", catalogue)).values()) == {1.0}


async def test_competence_is_worth_more_than_effort(catalogue: Catalogue) -> None:
    responder, novice = await means("responder", catalogue), await means("novice", catalogue)
    assert {task: round(responder[task], 4) >= least for task, least in RESPONDER.items()} == dict.fromkeys(TASKS, True)
    for task in TASKS:
        assert novice[task] + AHEAD <= responder[task] <= 1.0


@pytest.mark.parametrize("task", TASKS)
async def test_effort_is_worth_more_than_luck(task: str, catalogue: Catalogue) -> None:
    luck = [
        (await played(AGENTS["random"], catalogue.get(one), catalogue, seed))[1]
        for one in TASKS[task]
        for seed in range(50)
    ]
    assert (await means("novice", catalogue))[task] > mean(luck)


@pytest.mark.parametrize("name", EXPLOITS)
async def test_a_cheat_stays_under_its_ceiling(name: str, catalogue: Catalogue) -> None:
    earned, ceilings = await scores(name, catalogue), EXPLOITS[name][1]
    assert mean(earned[one] for one in TASKS["alert_classification"]) <= ceilings.without_evidence
    for one in (*TASKS["root_cause_analysis"], *TASKS["remediation_planning"]):
        assert earned[one] <= ceilings.get(catalogue.get(one).task.id), one


async def test_a_reader_of_side_channels_would_use_what_leaks(catalogue: Catalogue) -> None:
    """The cheat is not blind: given the truth, it scores above its ceiling."""
    scenario = catalogue.get("RCA-001")
    leak = [f"root_cause: {scenario.incident.truth.service}: an unbounded export ran out of memory"]
    _, score, _ = await played(lambda seat: SideChannels(seat, leak), scenario, catalogue)
    assert score > EXPLOITS["side-channels"][1].with_evidence


@pytest.fixture(scope="session")
def renamed(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Catalogue:
    """The same incidents with services whose names say nothing, in the same alphabetical order."""
    return _renamed(catalogue, tmp_path_factory.mktemp("renamed"))


def _renamed(catalogue: Catalogue, into: Path) -> Catalogue:
    for path in sorted(CURATED.glob("*.yaml")):
        text = path.read_text("utf-8")
        incident = next(one for one in catalogue.incidents.values() if f"incident: {one.id}\n" in text)
        names = {name: f"unit-{place:02}" for place, name in enumerate(sorted(incident.services), 1)}
        for name, other in names.items():
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", other, text)
        (into / path.name).write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogues, "CURATED", into)
        renamed = Catalogue()
    renamed.load()
    return renamed


async def test_the_responder_knows_no_service_by_its_name(
    scenario: Scenario, catalogue: Catalogue, renamed: Catalogue
) -> None:
    other = renamed.get(scenario.id)
    assert not set(other.incident.services) & set(scenario.incident.services)
    _, before, _ = await played(AGENTS["responder"], scenario, catalogue)
    _, after, _ = await played(AGENTS["responder"], other, renamed)
    assert after == before


@pytest.mark.parametrize("options", [{"observation": "delta"}, {"reward_mode": "terminal"}])
async def test_the_responder_needs_neither_old_evidence_nor_rewards(
    options: dict[str, Any], scenario: Scenario, catalogue: Catalogue
) -> None:
    _, full, _ = await played(AGENTS["responder"], scenario, catalogue)
    _, other, _ = await played(AGENTS["responder"], scenario, catalogue, **options)
    assert other == full


async def test_the_responder_takes_over_where_another_left_off(catalogue: Catalogue) -> None:
    for scenario_id, most in (("RP-001", 4), ("RP-003", 4)):
        scenario, environment = catalogue.get(scenario_id), InProcess(catalogue)
        first, second = (AGENTS[name](Seat(scenario)) for name in ("oracle", "responder"))
        reply = await environment.reset(Selection(scenario_id=scenario_id))
        while not reply.done:
            early = reply.observation["step_count"] < most
            decision = await (first if early else second).decide(reply.observation)
            reply = await environment.step(decision.action)
            if early:
                second.watch(decision.action, reply.observation)
        assert reply.info["grade"]["score"] > 0.5, scenario_id


def test_a_constant_severity_earns_little_of_a_balanced_set() -> None:
    """Where every severity is as frequent as any other."""
    for constant in SEVERITIES:
        earned = mean(float(share_for_severity(constant, true)) for true in SEVERITIES)
        assert earned <= 0.57, constant


@pytest.mark.parametrize("name", PLAYERS)
async def test_everyone_plays_what_is_generated(catalogue: Catalogue, name: str) -> None:
    for scenario_id in ("GEN1-AC-D1-7", "GEN1-RCA-D3-42", "GEN1-RP-D5-42"):
        actions, score, submitted = await played(PLAYERS[name], catalogue.get(scenario_id), catalogue)
        assert submitted or name == "random", (scenario_id, actions)
        assert name != "oracle" or score == 1.0
