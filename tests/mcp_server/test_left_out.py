"""Every tool that is listed: an optional parameter that is left out, null or its default means the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client

from env_core.selection import Selection
from env_core.service import EpisodeService
from env_core.stores import Claim
from mcp_server import build_server
from mcp_server.binding import BoundEpisode
from tests.mcp_server.playing import read_text, start
from tests.slow import count_examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyio.from_thread import BlockingPortal
    from mcp_types import CallToolResult, Tool

    from scenarios.catalogue import Catalogue

VALUES: dict[str, Any] = {
    "service": "postgres-db",
    "replicas": 3,
    "flag": "full_history_export",
    "runbook_action": "verify_db_health",
    "severity": "P1",
    "failure_mode": "It ran out of memory.",
    "summary": "It is over.",
}
"""A value of every required parameter."""

MOST = 20
"""More parameters than any tool has."""
ways = st.lists(st.sampled_from(["left out", "null", "default"]), min_size=MOST, max_size=MOST)


def write_arguments(tool: Tool, ways: list[str]) -> dict[str, Any]:
    """Arguments with a value of each required parameter, and each optional one in the way that is given for it."""
    schema = tool.input_schema
    arguments: dict[str, Any] = {name: VALUES[name] for name in schema.get("required", ())}
    for way, (name, described) in zip(ways, schema["properties"].items(), strict=False):
        if name in arguments or way == "left out":
            continue
        if way == "null":
            arguments[name] = None
        elif "default" in described:
            arguments[name] = described["default"]
    return arguments


def forget_handle(result: CallToolResult, handle: str) -> str:
    """A result without the handle, which is minted anew for each episode."""
    structured = result.structured_content or {}
    structured = {name: value for name, value in structured.items() if name != "incarnation"}
    told = json.dumps([bool(result.is_error), read_text(result), structured])
    return told.replace(handle or structured.get("episode_id", "?"), "…")


@dataclass
class Bench:
    """A client of one profile with its tools, and what each tool answers where everything optional is left out."""

    service: EpisodeService
    client: Client
    portal: BlockingPortal
    tools: list[Tool]
    bound: list[str] | None = None
    plain: dict[str, str] = field(default_factory=dict)

    def call(self, tool: Tool, arguments: dict[str, Any]) -> str:
        """What a tool answers, on an episode of its own that is the only one."""
        told: str = self.portal.call(self._call, tool, arguments)
        return told

    async def _call(self, tool: Tool, arguments: dict[str, Any]) -> str:
        if self.bound is not None:
            self.bound[0] = (await self.service.create(Selection(scenario_id="RP-001"))).id
            return forget_handle(await self.client.call_tool(tool.name, arguments), self.bound[0])
        handle = "" if tool.name.startswith(("start", "list")) else await start(self.client, "RP-001")
        result = await self.client.call_tool(tool.name, arguments)
        opened = (result.structured_content or {}).get("episode_id", "")
        for each in {handle, opened} - {""}:
            await self.client.call_tool("close_drill", {"episode_id": each})
        return forget_handle(result, handle).replace(opened or "?", "…")


@pytest.fixture(scope="module", params=["operator", "operator who trains", "agent"])
def bench(request: pytest.FixtureRequest, catalogue: Catalogue) -> Iterator[Bench]:
    service = EpisodeService(catalogue)
    bound: list[str] | None = None
    training = "trains" in request.param
    with start_blocking_portal() as portal:
        if request.param == "agent":
            bound = [portal.call(service.create, Selection(scenario_id="RP-001")).id]
        finding = None if bound is None else lambda _: BoundEpisode(Claim(bound[0], ""))
        server = build_server(service, version="test", bound=finding, training=training)
        with portal.wrap_async_context_manager(Client(server)) as client:
            yield Bench(service, client, portal, portal.call(client.list_tools).tools, bound)


@pytest.mark.slow
@settings(max_examples=count_examples(50))
@given(ways=ways)
def test_no_tool_tells_them_apart(bench: Bench, ways: list[str]) -> None:
    for tool in bench.tools:
        if tool.name not in bench.plain:
            bench.plain[tool.name] = bench.call(tool, write_arguments(tool, ["left out"] * MOST))
        sent = write_arguments(tool, ways)
        assert bench.call(tool, sent) == bench.plain[tool.name], (tool.name, sent)
