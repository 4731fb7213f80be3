"""The tools: their definitions, what their results hold, and what refusals say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from mcp import Client
from mcp_types import Implementation
from pydantic import TypeAdapter

from env_core.observation import ProgressReport
from env_core.selection import Selection
from mcp_server import build_server
from mcp_server.binding import bind_to
from mcp_server.control import OLD_NAMES, Briefing, ClosedDrill, Listing, Standing
from mcp_server.instructions import LIMIT, OPERATOR
from mcp_server.meta import EPISODE_ID, PAGE
from mcp_server.results import StructuredContent, cut_page
from scenarios.vocabulary import ACTIONS, Kind, Parameters
from tests.mcp_server.playing import LEGACY, MODERN, read_numbers, read_text, start

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp_types import Tool

    from env_core.service import EpisodeService
    from mcp_server.binding import Callers

pytestmark = pytest.mark.anyio

CONTROL = ["start_drill", "show_drill", "list_drills", "grade_drill", "close_drill"]


async def list_tools(server: Server[Callers]) -> dict[str, Tool]:
    async with Client(server) as client:
        return {tool.name: tool for tool in (await client.list_tools()).tools}


def collect_keywords(schema: Any) -> set[str]:
    """Every key that stands anywhere in a schema, property names aside."""
    if isinstance(schema, list):
        return {key for part in schema for key in collect_keywords(part)}
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for key, value in schema.items():
        found |= (
            {name for part in value.values() for name in collect_keywords(part)}
            if key == "properties"
            else collect_keywords(value)
        )
    return found


async def test_every_action_and_five_controls(server: Server[Callers]) -> None:
    assert list(await list_tools(server)) == [*CONTROL, *ACTIONS]


async def test_the_earlier_names_of_the_controls_are_answered_and_not_listed(server: Server[Callers]) -> None:
    assert list(OLD_NAMES.values()) == CONTROL
    async with Client(server) as client:
        await start(client, "AC-001")
        assert not {tool.name for tool in (await client.list_tools()).tools} & set(OLD_NAMES)
        for old, new in OLD_NAMES.items():
            if new not in {"start_drill", "close_drill"}:
                assert await client.call_tool(old, {}) == await client.call_tool(new, {})
        assert "Known services" in read_text(await client.call_tool("start_drill", {}))


async def test_the_agent_profile_has_no_earlier_names(service: EpisodeService) -> None:
    episode = await service.create(Selection(scenario_id="RCA-001"))
    async with Client(build_server(service, version="test", bound=bind_to(episode))) as agent:
        for old in OLD_NAMES:
            assert f"There is no tool '{old}'" in read_text(await agent.call_tool(old, {}))


async def test_definitions_are_complete_and_free_of_noise(server: Server[Callers]) -> None:
    tools = await list_tools(server)
    for tool in tools.values():
        hints = tool.annotations
        assert hints is not None
        assert None not in (
            hints.read_only_hint,
            hints.destructive_hint,
            hints.idempotent_hint,
            hints.open_world_hint,
        )
        assert hints.open_world_hint is False
        assert tool.title == hints.title
        assert tool.title
        assert tool.title.endswith("(simulated)")
        assert tool.description
        assert tool.description.startswith("Simulated incident; nothing real is touched.")
        assert len(tool.description) <= 1024  # OpenAI takes no longer ones
        assert not collect_keywords(tool.input_schema) & {"anyOf", "$ref", "$defs", "title", "oneOf", "allOf"}
        assert tool.input_schema["additionalProperties"] is False
        assert all(field["description"] for field in tool.input_schema["properties"].values())
        # Gemini refuses a list of tools in which "" is a choice.
        assert all("" not in field.get("enum", []) for field in tool.input_schema["properties"].values())
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        assert tool.output_schema is None  # results hold structured content without it, and refusals need none
    for spec in ACTIONS.values():
        hints = tools[spec.name].annotations
        assert hints is not None
        assert hints.read_only_hint is (spec.kind is Kind.DIAGNOSTIC)
        assert hints.destructive_hint is (spec.kind is Kind.REMEDIATION)


async def test_what_a_model_sees_of_the_tools_is_short(server: Server[Callers]) -> None:
    shown = [(tool.name, tool.description, tool.input_schema) for tool in (await list_tools(server)).values()]
    assert len(json.dumps(shown, separators=(",", ":"))) < 16_000  # 4,000 tokens of four characters


async def test_the_server_says_that_it_is_simulated_and_in_few_words(server: Server[Callers]) -> None:
    async with Client(server) as client:
        about = client.server_info
        assert about is not None
        assert "simulated" in (about.title or "")
        assert "simulated" in (about.description or "")
        assert client.instructions == OPERATOR
    assert "every incident, service and repair here is simulated, and nothing real is touched" in OPERATOR
    assert len(OPERATOR) < LIMIT


CALLS: list[tuple[str, dict[str, Any], type]] = [
    ("start_drill", {"incident": "RP-001"}, Briefing),
    ("query_logs", {"service": "postgres-db"}, ProgressReport),
    ("query_logs", {"service": "nowhere"}, ProgressReport),
    ("restart_service", {"service": "postgres-db"}, ProgressReport),
    ("show_drill", {}, Briefing),
    ("list_drills", {}, Listing),
    ("submit_resolution", {"summary": "Done."}, ProgressReport),
    ("grade_drill", {}, Standing),
    ("close_drill", {}, ClosedDrill),
]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_structured_content_has_its_shape_and_says_all_that_the_text_says(
    server: Server[Callers], era: str
) -> None:
    async with Client(server, mode=era) as client:
        for name, arguments, shape in CALLS:
            result = await client.call_tool(name, arguments)
            content = dict(read_numbers(result))
            assert content.pop("text") == read_text(result)
            TypeAdapter(shape).validate_python(content, strict=True, extra="forbid")


@pytest.mark.parametrize("client_name", ["claude-code", "fastmcp", "mcp"])
@pytest.mark.parametrize(
    ("setting", "in_text", "in_structured"),
    [
        (StructuredContent.BOTH, True, True),
        (StructuredContent.OFF, True, False),
        (StructuredContent.ONLY, False, True),
    ],
)
@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_every_client_gets_the_evidence_in_the_parts_that_are_sent(
    service: EpisodeService,
    client_name: str,
    setting: StructuredContent,
    *,
    in_text: bool,
    in_structured: bool,
    era: str,
) -> None:
    server = build_server(service, version="test", structured=setting)
    async with Client(server, mode=era, client_info=Implementation(name=client_name, version="1")) as client:
        await client.call_tool("start_drill", {"incident": "RP-001"})
        result = await client.call_tool("query_logs", {"service": "postgres-db"})
        told = "Out of memory: Killed process"
        assert (told in read_text(result)) is in_text
        assert (told in json.dumps(result.structured_content)) is in_structured
        assert (result.structured_content is not None) is in_structured


async def test_an_unknown_service_is_a_step_and_an_error_that_names_the_known_ones(server: Server[Callers]) -> None:
    async with Client(server) as client:
        await start(client, "RCA-001")
        result = await client.call_tool("query_logs", {"service": "postgres"})
        assert result.is_error
        assert "Known services: analytics-service" in read_text(result)
        assert read_numbers(result)["step_count"] == 1


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("query_logs", {"service": "postgres-db", "verbose": True}, "`verbose` is not a parameter of query_logs"),
        ("query_logs", {"service": ["postgres-db"]}, "`service` must be text"),
        ("query_logs", {"service": "postgres-db", "page": 0}, "`page` must be 1 to 10000; 0 was given"),
        ("query_logs", {"service": "postgres-db", "page": 2}, "has not been queried yet"),
        ("query_logs", {"service": "postgres-db", "episode_id": "never-minted"}, "start_drill starts one"),
        (
            "query_logs",
            {"service": "postgres-db", "episode_id": 7},
            "Parameters: `service`, `page` (optional), `episode_id` (optional)",
        ),
        ("grade_drill", {}, "Not finished"),
        ("no_such_tool", {}, "Tools: start_drill"),
    ],
)
async def test_refusals_say_what_to_do_and_change_nothing(
    server: Server[Callers], service: EpisodeService, tool: str, arguments: dict[str, Any], said: str
) -> None:
    async with Client(server) as client:
        handle = await start(client, "RCA-001")
        result = await client.call_tool(tool, arguments)
        assert result.is_error
        assert said in read_text(result)
        assert (await service.get(handle)).step_count == 0


async def test_a_handle_may_be_left_out_while_one_incident_is_open(server: Server[Callers]) -> None:
    async with Client(server) as client:
        nothing = await client.call_tool("show_drill", {})
        assert "Call start_drill first" in read_text(nothing)
        first = await start(client, "AC-001")
        assert first in read_text(await client.call_tool("show_drill", {}))
        second = await start(client, "AC-002")
        both = await client.call_tool("show_drill", {})
        assert both.is_error
        assert first in read_text(both)
        assert second in read_text(both)
        await client.call_tool("submit_severity", {"severity": "P1", "episode_id": first})
        assert second in read_text(await client.call_tool("show_drill", {}))
        await client.call_tool("close_drill", {})
        assert "Score 1.0000" in read_text(await client.call_tool("grade_drill", {}))
        closed = await client.call_tool("show_drill", {"episode_id": second})
        assert "it was closed" in read_text(closed)


async def test_long_evidence_is_paged_and_pages_are_not_steps(service: EpisodeService) -> None:
    async with Client(build_server(service, version="test", page_size=600)) as client:
        handle = await start(client, "RP-001")
        first = await client.call_tool("query_logs", {"service": "postgres-db"})
        assert "call query_logs with page=2 for more (not a step)" in read_text(first)
        whole = (await service.get(handle)).shown["query_logs", "postgres-db"].text
        mark = (first.meta or {})[PAGE]
        assert mark["number"] == 1 < mark["of"]
        pages = [read_text(first)[: mark["characters"]]]
        for number in range(2, mark["of"] + 1):
            page = await client.call_tool("query_logs", {"service": "postgres-db", "page": number})
            further = (page.meta or {})[PAGE]
            assert (further["number"], further["of"]) == (number, mark["of"])
            pages.append(read_text(page)[: further["characters"]])
        assert "\n".join(pages) == whole
        assert (await service.get(handle)).step_count == 1


async def test_meta_says_what_a_result_is_about(server: Server[Callers]) -> None:
    async with Client(server) as client:
        handle = await start(client, "RP-001")
        for name, arguments, _ in CALLS[1:]:
            result = await client.call_tool(name, arguments)
            about_one = name not in {"start_drill", "list_drills"}
            assert (result.meta or {}).get(EPISODE_ID) == (handle if about_one else None)
            shows_evidence = (name, arguments) == ("query_logs", {"service": "postgres-db"})
            assert (PAGE in (result.meta or {})) is shows_evidence


async def test_a_page_past_the_end_is_refused_and_says_which_is_the_last(service: EpisodeService) -> None:
    async with Client(build_server(service, version="test")) as client:
        handle = await start(client, "RP-001")
        await client.call_tool("query_logs", {"service": "postgres-db"})
        past = await client.call_tool("query_logs", {"service": "postgres-db", "page": 2})
        assert past.is_error
        assert "its evidence ends with page 1 of 1" in read_text(past)
        assert "Out of memory" not in read_text(past)
        assert (await service.get(handle)).step_count == 1


def test_pages_hold_everything_and_are_bounded() -> None:
    text = "\n".join(f"{number:04d} " + "x" * (number % 97) for number in range(500)) + "\n" + "y" * 1000
    first = cut_page(text, 1, 300)
    pages = [cut_page(text, number, 300).text for number in range(1, first.of + 1)]
    assert all(len(page) <= 300 for page in pages)
    assert "".join(pages).replace("\n", "") == text.replace("\n", "")
    assert cut_page(text, 10_000, 300).number == first.of


async def test_the_agent_profile_has_the_actions_and_nothing_else(service: EpisodeService) -> None:
    episode = await service.create(Selection(scenario_id="RCA-001"))
    server = build_server(service, version="test", bound=bind_to(episode), episode=episode)
    async with Client(server) as agent:
        tools = (await agent.list_tools()).tools
        assert [tool.name for tool in tools] == episode.task.available_actions
        assert all("episode_id" not in tool.input_schema["properties"] for tool in tools)
        taken = await agent.call_tool("query_logs", {"service": "postgres-db"})
        assert read_numbers(taken)["step_count"] == 1
        assert episode.id not in taken.model_dump_json()
        assert set(taken.meta or {}) & {EPISODE_ID, PAGE} == {PAGE}
        foreign = await agent.call_tool("query_logs", {"service": "postgres-db", "episode_id": "other"})
        assert foreign.is_error
        assert {resource.uri for resource in (await agent.list_resources()).resources} == {
            "oncall://guide",
            *(f"incident://current/{view}" for view in ("briefing", "alert", "services", "map", "timeline")),
        }
        templates = (await agent.list_resource_templates()).resource_templates
        assert [template.uri_template for template in templates] == ["incident://current/evidence/{service}"]
        assert not [
            a for prompt in (await agent.list_prompts()).prompts for a in prompt.arguments or [] if "id" in a.name
        ]
        await service.close(episode.id)
        assert "has been closed" in read_text(await agent.call_tool("query_logs", {"service": "postgres-db"}))


def test_every_parameter_model_forbids_what_it_does_not_know() -> None:
    for spec in ACTIONS.values():
        assert issubclass(spec.parameters, Parameters)
        assert spec.parameters.model_config["extra"] == "forbid"
        assert spec.subject in spec.parameters.model_fields
