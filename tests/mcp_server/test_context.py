"""Resources, prompts and completion."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from scenarios.library import load_runbook_catalogue
from scenarios.vocabulary import ACTIONS
from tests.mcp_server.playing import start

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

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


async def test_prompts(server: Server[Callers]) -> None:
    async with Client(server) as client:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        assert names == ["take_the_pager", "classify_alert", "find_root_cause", "write_summary"]
        pager = await client.get_prompt("take_the_pager", {"scenario_id": "RP-002"})
        assert isinstance(pager.messages[0].content, TextContent)
        assert 'start_drill with scenario_id "RP-002"' in pager.messages[0].content.text
        with pytest.raises(MCPError):
            await client.get_prompt("classify_alert")
        await start(client, "RP-001")
        await client.call_tool("query_logs", {"service": "postgres-db"})
        summary = await client.get_prompt("write_summary")
        assert isinstance(summary.messages[0].content, TextContent)
        assert "query_logs postgres-db" in summary.messages[0].content.text
        suspect = await client.get_prompt("find_root_cause", {"service": "postgres-db"})
        assert isinstance(suspect.messages[0].content, TextContent)
        assert "Already suspected: postgres-db" in suspect.messages[0].content.text
        for bad in ("no_such_prompt", "write_summary"):
            with pytest.raises(MCPError):
                await client.get_prompt(bad, {"nonsense": "x"})


async def test_completion(server: Server[Callers]) -> None:
    async with Client(server) as client:
        pager = PromptReference(type="ref/prompt", name="take_the_pager")
        scenarios = await client.complete(pager, {"name": "scenario_id", "value": "rp"})
        assert scenarios.completion.values == ["RP-001", "RP-002", "RP-003"]
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
