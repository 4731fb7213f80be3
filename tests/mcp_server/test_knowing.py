"""What somebody can know who sees only the tools and the briefing, in both profiles."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from mcp import Client

from cloud_incident.evaluation.agents.prompting import build_function_tools
from env_core.guide import describe_scoring
from env_core.selection import Selection
from mcp_server import build_server
from mcp_server.binding import bind_to
from scenarios.library import load_runbook_catalogue
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import ACTIONS, RUNBOOK_STEP, SEVERITY_MATRIX, TASKS, Task
from tests.mcp_server.playing import read_text

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp_types import Tool

    from env_core.service import EpisodeService
    from mcp_server.binding import Callers

pytestmark = pytest.mark.anyio

FIRST = {task.id: f"{task.code}-001" for task in TASKS.values()}
CHARACTERS_PER_TOKEN = 3.5
"""A low estimate, so that the tokens are at most what it gives: o200k_base has 4.3 for this list."""


async def bind(service: EpisodeService, task: Task) -> Server[Callers]:
    """The agent profile on the first scenario of a task."""
    episode = await service.create(Selection(scenario_id=FIRST[task.id], episode_id=f"bound-{task.id}"))
    return build_server(service, version="test", bound=bind_to(episode), episode=episode)


async def list_tools(server: Server[Callers]) -> dict[str, Tool]:
    async with Client(server) as client:
        return {tool.name: tool for tool in (await client.list_tools()).tools}


def dump(tools: dict[str, Tool]) -> str:
    """The list as a model is shown it: names, descriptions and schemas, as compact JSON."""
    listed = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
        for tool in tools.values()
    ]
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


async def read_briefing(server: Server[Callers]) -> str:
    async with Client(server) as client:
        (contents,) = (await client.read_resource("incident://current/briefing")).contents
        return str(getattr(contents, "text", ""))


async def test_the_operators_tools_say_what_makes_each_severity_and_what_earns_points(
    server: Server[Callers],
) -> None:
    tools = await list_tools(server)
    told = tools["submit_severity"].description or ""
    assert all(row.criterion in told for row in SEVERITY_MATRIX)
    assert "50% or more of the requests of a core journey fail" in told
    for task in TASKS.values():
        submission = tools[task.submission.name].description or ""
        assert describe_scoring(task) in submission
        assert "What single steps earn is not part of the score" in submission
        assert "steps" in submission
        assert "vidence" in submission


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
async def test_an_agents_tools_and_briefing_say_the_same(service: EpisodeService, task: Task) -> None:
    bound = await bind(service, task)
    tools, briefing = await list_tools(bound), await read_briefing(bound)
    for told in (tools[task.submission.name].description or "", briefing):
        assert describe_scoring(task) in told
        assert "What single steps earn is not part of the score" in told
        assert all(row.criterion in told for row in SEVERITY_MATRIX) is bool(task.submission.criteria)
    if "execute_runbook_step" in tools:
        assert set(load_runbook_catalogue()) <= set(
            tools["execute_runbook_step"].input_schema["properties"][RUNBOOK_STEP.parameter]["enum"]
        )


@pytest.mark.parametrize("incident", ["RP-001", "LIVE-RP-001", "proved"])
async def test_an_operator_is_told_the_steps_of_the_own_runbook_and_its_schema_takes_them(
    server: Server[Callers], service: EpisodeService, incident: str
) -> None:
    """LlamaIndex makes a model of a schema that refuses what it does not name, and other clients send it on."""
    seed, difficulty = next(iter(list_proofs()))
    scenario_id = f"GEN2-RP-D{difficulty}-{seed}" if incident == "proved" else incident
    schema = (await list_tools(server))["execute_runbook_step"].input_schema
    async with Client(server) as client:
        started = await client.call_tool("start_drill", {"incident": scenario_id})
        course = (await service.get((started.structured_content or {})["episode_id"])).course
        again = await client.call_tool("show_drill", {})
        for step in course.runbook:
            jsonschema.validate({RUNBOOK_STEP.parameter: step}, schema)
            if course.list_targets(step) != ():
                assert re.search(rf"\b{step}\b", read_text(started)), step
                assert re.search(rf"\b{step}\b", read_text(again)), step
        refused = await client.call_tool("execute_runbook_step", {RUNBOOK_STEP.parameter: "no_such_step"})
        assert "There is no runbook step" in read_text(refused)
        assert "With `list` in its place" in read_text(refused)
        if course.is_played:
            watched = await client.call_tool("execute_runbook_step", {RUNBOOK_STEP.parameter: "watch"})
            assert not watched.is_error


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
async def test_starting_says_what_earns_points(server: Server[Callers], task: Task) -> None:
    async with Client(server) as client:
        started = await client.call_tool("start_drill", {"incident": FIRST[task.id]})
        assert describe_scoring(task) in read_text(started)
        assert (task.submission.criteria in read_text(started)) is True


async def test_the_operators_list_is_under_four_thousand_tokens_and_each_description_is_one_that_clients_take(
    server: Server[Callers],
) -> None:
    tools = await list_tools(server)
    assert len(dump(tools)) / CHARACTERS_PER_TOKEN < 4000
    assert all(len(tool.description or "") <= 1024 for tool in tools.values())


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
async def test_an_agent_is_offered_what_the_agent_of_evaluations_is_offered(
    service: EpisodeService, task: Task
) -> None:
    offered = [tool["function"]["name"] for tool in build_function_tools(task.available_actions)]
    assert list(await list_tools(await bind(service, task))) == offered


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
async def test_a_tool_of_another_task_is_refused_and_the_refusal_names_the_submission(
    service: EpisodeService, task: Task
) -> None:
    bound = await bind(service, task)
    others = [action for action in ACTIONS.values() if action not in task.actions]
    async with Client(bound) as client:
        for action in others:
            arguments = dict.fromkeys(action.parameters.model_fields, "P1")
            result = await client.call_tool(action.name, arguments)
            assert result.is_error
            assert f"{action.name} is not an action of {task.id}; nothing was done" in read_text(result)
            assert f"{task.submission.name} answers this task" in read_text(result)
        unknown = await client.call_tool("reboot", {})
        assert f"Tools: {', '.join(task.available_actions)}." in read_text(unknown)
    assert (await service.get(f"bound-{task.id}")).step_count == 0


async def test_only_lists_that_are_the_same_for_everybody_are_cached_for_everybody(
    server: Server[Callers], service: EpisodeService
) -> None:
    bound = await bind(service, TASKS["root_cause_analysis"])
    async with Client(server) as operator, Client(bound) as agent:
        assert (await operator.list_tools()).cache_scope == "public"
        assert (await agent.list_tools()).cache_scope == "private"


@pytest.mark.parametrize("asked", ["list", " List ", "", "  "])
async def test_the_runbook_is_told_by_a_call_that_is_no_step(service: EpisodeService, asked: str) -> None:
    bound = await bind(service, TASKS["remediation_planning"])
    async with Client(bound) as client:
        answer = await client.call_tool("execute_runbook_step", {"runbook_action": asked})
    assert not answer.is_error
    told = read_text(answer)
    for step in load_runbook_catalogue().values():
        assert step.name in told
        assert step.does in told
    assert "nothing was executed" in told
    assert (await service.get("bound-remediation_planning")).step_count == 0


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
async def test_every_result_names_its_incident(server: Server[Callers], service: EpisodeService, task: Task) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("query_logs", {"service": "nowhere"}),
        ("query_logs", {"service": "api-gateway"}),
        ("query_logs", {"service": "api-gateway", "page": 2}),
    ]
    bound = await bind(service, task)
    async with Client(server) as operator, Client(bound) as agent:
        started = await operator.call_tool("start_drill", {"incident": FIRST[task.id]})
        handle = (started.structured_content or {})["episode_id"]
        assert handle in read_text(started)
        for name, arguments in calls:
            assert FIRST[task.id] in read_text(await agent.call_tool(name, arguments))
            assert handle in read_text(await operator.call_tool(name, arguments))
