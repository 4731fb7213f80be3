"""Resources, prompts and completion."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from env_core.selection import Selection
from mcp_server import build_server
from mcp_server.binding import bind_to
from scenarios.library import load_runbook_catalogue
from scenarios.vocabulary import ACTIONS
from tests.mcp_server.playing import start

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from env_core.service import EpisodeService
    from mcp_server.binding import Callers

pytestmark = pytest.mark.anyio


async def read(client: Client, uri: str) -> str:
    (contents,) = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    return contents.text


async def test_the_guide(server: Server[Callers]) -> None:
    async with Client(server) as client:
        guide = await read(client, "oncall://guide")
    for word in ("P1", "P4", *ACTIONS, *load_runbook_catalogue(), "remediation_planning"):
        assert word in guide


async def test_resources_show_what_has_been_queried_and_no_more(server: Server[Callers]) -> None:
    async with Client(server) as client:
        handle = await start(client, "RP-001")
        listed = {resource.uri for resource in (await client.list_resources()).resources}
        assert f"incident://{handle}/alert" in listed
        alert = json.loads(await read(client, f"incident://{handle}/alert"))
        assert alert["affected_services"] == ["api-gateway", "auth-service", "order-service"]
        empty = json.loads(await read(client, f"incident://{handle}/services"))
        assert empty["calls"] == []
        assert len(empty["services"]) == 11
        assert "Nothing has been queried" in await read(client, f"incident://{handle}/evidence/postgres-db")

        await client.call_tool("check_dependencies", {"service": "order-service"})
        shown = json.loads(await read(client, "incident://current/services"))
        assert {"order-service"} == {
            service["name"] for service in shown["services"] if service["queried"] == ["check_dependencies"]
        }
        assert any(call["from"] == "order-service" and call["to"] == "postgres-db" for call in shown["calls"])
        mermaid = await read(client, f"incident://{handle}/map")
        assert mermaid.startswith("flowchart LR")
        assert "check_dependencies order-service" in await read(client, f"incident://{handle}/timeline")
        assert "calls\n" in await read(client, f"incident://{handle}/evidence/order-service")


@pytest.mark.parametrize(
    "uri",
    ["oncall://other", "incident://never-minted/alert", "incident://current/truth", "incident://current/evidence/nope"],
)
async def test_what_is_not_there_is_a_protocol_error(server: Server[Callers], uri: str) -> None:
    async with Client(server) as client:
        await start(client, "RP-001")
        with pytest.raises(MCPError) as refused:
            await client.read_resource(uri)
        assert refused.value.error.code == -32602


async def prompt(client: Client, name: str, **arguments: str) -> str:
    """The text of a prompt."""
    (message,) = (await client.get_prompt(name, arguments)).messages
    assert isinstance(message.content, TextContent)
    return message.content.text


async def test_prompts_on_an_open_incident(server: Server[Callers]) -> None:
    async with Client(server) as client:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        assert names == ["take_the_pager", "classify_alert", "find_root_cause", "write_summary"]
        with pytest.raises(MCPError, match="Call start_drill first"):
            await client.get_prompt("classify_alert")
        handle = await start(client, "RP-001")
        await client.call_tool("query_logs", {"service": "postgres-db"})
        for name in names:
            said = await prompt(client, name)
            assert f"episode_id: {handle}" in said
            assert "query_logs postgres-db · First look at postgres-db.\n" in f"{said}\n"
        assert "Already suspected: postgres-db" in await prompt(client, "find_root_cause", service="postgres-db")
        for bad in ("no_such_prompt", "write_summary"):
            with pytest.raises(MCPError):
                await client.get_prompt(bad, {"nonsense": "x"})


@pytest.mark.parametrize(
    ("arguments", "chosen", "submission"),
    [
        ({}, "incident 'random', task_id 'remediation_planning', difficulty 1", "submit_resolution"),
        ({"incident": "", "task_id": "", "difficulty": ""}, "incident 'random', task_id", "submit_resolution"),
        ({"incident": "RP-002"}, "incident 'RP-002'.", "submit_resolution"),
        ({"incident": "rca-002"}, "incident 'rca-002'.", "submit_root_cause"),
        ({"incident": "GEN1-AC-D4-7"}, "incident 'GEN1-AC-D4-7'.", "submit_severity"),
        ({"incident": "7"}, "incident '7', task_id 'remediation_planning', difficulty 1", "submit_resolution"),
        (
            {"task_id": "root_cause_analysis", "difficulty": "2"},
            "incident 'random', task_id 'root_cause_analysis', difficulty 2",
            "submit_root_cause",
        ),
    ],
)
async def test_the_pager_proposes_a_drill_and_fits_its_task(
    server: Server[Callers], arguments: dict[str, str], chosen: str, submission: str
) -> None:
    async with Client(server) as client:
        said = await prompt(client, "take_the_pager", **arguments)
    assert f"Begin by calling start_drill with {chosen}" in said
    assert set(re.findall(r"submit_\w+", said)) == {submission}
    assert "simulated, and nothing real is touched" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"incident": "RCA-004"}, "RCA-003"),
        ({"incident": "GEN1-RCA-D9-7"}, "GEN1-RCA-D3-42"),
        ({"task_id": "root_cause"}, "Did you mean root_cause_analysis?"),
        ({"incident": "RP-001", "task_id": "root_cause_analysis"}, "RP-001 belongs to remediation_planning"),
        ({"incident": "RP-001", "difficulty": "2"}, "RP-001 is hand-written and has no difficulty"),
        ({"difficulty": "9"}, "`difficulty` must be 1 (easy) to 5 (hard); 9 was given"),
        ({"difficulty": "easy"}, "`difficulty` must be a whole number"),
        ({"split": "train"}, "take_the_pager takes incident, task_id, difficulty, not 'split'"),
    ],
)
async def test_the_pager_refuses_what_cannot_be_started(
    server: Server[Callers], arguments: dict[str, str], said: str
) -> None:
    async with Client(server) as client:
        with pytest.raises(MCPError) as refused:
            await client.get_prompt("take_the_pager", arguments)
    assert said in refused.value.error.message


@pytest.mark.parametrize(
    ("name", "own"), [("classify_alert", "AC-001"), ("find_root_cause", "RCA-001"), ("write_summary", "RP-001")]
)
async def test_a_prompt_hands_in_only_what_its_task_asks(server: Server[Callers], name: str, own: str) -> None:
    async with Client(server) as client:
        for scenario_id in ("AC-001", "RCA-001", "RP-001"):
            handle = await start(client, scenario_id)
            said = await prompt(client, name, episode_id=handle)
            assert ("which ends the incident" in said) is (scenario_id == own)
            assert ("hand nothing in" in said) is (scenario_id != own)


async def test_prompts_on_a_finished_incident_say_so(server: Server[Callers]) -> None:
    async with Client(server) as client:
        handle = await start(client, "AC-001")
        await client.call_tool("submit_severity", {"severity": "P1"})
        for name in ("classify_alert", "find_root_cause", "write_summary"):
            said = await prompt(client, name)
            assert said.startswith(f"AC-001 ({handle}) is over, and no action changes it. Over after 1 step.")
            assert "start_drill starts another" in said
        assert "Begin by calling start_drill" in await prompt(client, "take_the_pager")


async def test_prompts_of_an_agent_whose_incident_is_over(service: EpisodeService) -> None:
    episode = await service.create(Selection(scenario_id="AC-001"))
    async with Client(build_server(service, version="test", bound=bind_to(episode))) as agent:
        assert "To finish: submit_severity" in await prompt(agent, "take_the_pager")
        await agent.call_tool("submit_severity", {"severity": "P1"})
        for name in ("take_the_pager", "classify_alert", "find_root_cause", "write_summary"):
            said = await prompt(agent, name)
            assert said.startswith("This incident is over")
            assert "There is nothing more to do." in said
            assert "drill" not in said


async def test_completion(server: Server[Callers]) -> None:
    async with Client(server) as client:
        pager = PromptReference(type="ref/prompt", name="take_the_pager")
        scenarios = await client.complete(pager, {"name": "incident", "value": "r"})
        assert scenarios.completion.values == [
            *(f"{code}-00{n}" for code in ("RCA", "RP") for n in (1, 2, 3)),
            "random",
        ]
        tasks = await client.complete(pager, {"name": "task_id", "value": "r"})
        assert tasks.completion.values == ["root_cause_analysis", "remediation_planning"]
        difficulties = await client.complete(pager, {"name": "difficulty", "value": ""})
        assert difficulties.completion.values == ["1", "2", "3", "4", "5"]
        handle = await start(client, "RP-001")
        root = PromptReference(type="ref/prompt", name="find_root_cause")
        services = await client.complete(root, {"name": "service", "value": "a"})
        assert services.completion.values == ["analytics-service", "api-gateway", "auth-service"]
        template = ResourceTemplateReference(type="ref/resource", uri="incident://{episode_id}/evidence/{service}")
        handles = await client.complete(template, {"name": "episode_id", "value": handle[:3]})
        assert handles.completion.values == [handle]
        context = {"episode_id": handle}
        named = await client.complete(template, {"name": "service", "value": "post"}, context_arguments=context)
        assert named.completion.values == ["postgres-db"]
        for reference in (PromptReference(type="ref/prompt", name="unknown"), pager):
            nothing = await client.complete(reference, {"name": "service", "value": ""})
            assert nothing.completion.values == []
