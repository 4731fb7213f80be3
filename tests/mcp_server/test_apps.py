"""The MCP App: what is declared, who gets what, and that the picture tells nothing that the text does not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, MCPError
from mcp.client import advertise
from mcp.server import MCPServer
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID, Apps, ResourceCsp
from mcp_types import TextResourceContents

from env_core.frames import draw_frames
from env_core.perfect import play_perfectly
from env_core.selection import Selection
from mcp_server import build_server
from mcp_server.apps import APP_URI
from mcp_server.binding import bind_to
from mcp_server.meta import FRAMES
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import ACTIONS, Kind
from tests.mcp_server.playing import LEGACY, MODERN, read_numbers, read_text, start
from tests.secrets_of import secrets_of, telling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult

    from env_core.service import EpisodeService
    from mcp_server.binding import Callers
    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.vocabulary import Action

pytestmark = pytest.mark.anyio

PAGE = "<!doctype html><title>Incident</title>"
SHOWS_APPS = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]
DRAWN = ["start_drill", "show_drill", "grade_drill"]


@pytest.fixture
def server(service: EpisodeService) -> Server[Callers]:
    return build_server(service, version="test", app=PAGE)


def read_frames(result: CallToolResult) -> list[dict[str, Any]]:
    """The frames of a result."""
    assert result.meta is not None
    found: list[dict[str, Any]] = result.meta[FRAMES]
    return found


async def play(client: Client, actions: Iterable[Action]) -> list[CallToolResult]:
    return [
        await client.call_tool(action.name, action.parameters.model_dump(exclude_defaults=True)) for action in actions
    ]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_tools_that_show_something_name_the_page(server: Server[Callers], era: str) -> None:
    async with Client(server, mode=era, extensions=SHOWS_APPS) as client:
        tools = {tool.name: tool.meta for tool in (await client.list_tools()).tools}
        (page,) = (await client.read_resource(APP_URI)).contents
        assert isinstance(page, TextResourceContents)
        assert (page.mime_type, page.text) == (APP_MIME_TYPE, PAGE)
    drawn = {name for name, meta in tools.items() if meta is not None and meta["ui"]["resourceUri"] == APP_URI}
    assert drawn == {*DRAWN, *(spec.name for spec in ACTIONS.values() if spec.kind is not Kind.REMEDIATION)}
    callable_by_page = {name for name in drawn if "app" in (tools[name] or {})["ui"].get("visibility", ["app"])}
    assert callable_by_page == {"show_drill", "grade_drill"}


async def test_it_is_declared_as_the_sdk_would_declare_it(server: Server[Callers]) -> None:
    apps = Apps()
    apps.add_html_resource(APP_URI, PAGE, csp=ResourceCsp(connect_domains=[], resource_domains=[]), prefers_border=True)

    @apps.tool(resource_uri=APP_URI, visibility=["model"])
    def query_logs() -> None: ...

    @apps.tool(resource_uri=APP_URI)
    def show_drill() -> None: ...

    async with (
        Client(MCPServer("reference", extensions=[apps]), extensions=SHOWS_APPS) as reference,
        Client(server, extensions=SHOWS_APPS) as ours,
    ):
        assert reference.server_capabilities.extensions == ours.server_capabilities.extensions
        declared = {tool.name: tool.meta for tool in (await ours.list_tools()).tools}
        assert {name: declared[name] for name in ("query_logs", "show_drill")} == {
            tool.name: tool.meta for tool in (await reference.list_tools()).tools
        }
        pages = [
            [
                (listed.uri, listed.mime_type, listed.meta)
                for listed in (await client.list_resources()).resources
                if listed.uri == APP_URI
            ]
            for client in (reference, ours)
        ]
        assert pages[0] == pages[1] != []
        read = [(await client.read_resource(APP_URI)).contents for client in (reference, ours)]
        assert read[0] == read[1]


async def test_frames_come_with_results_and_are_those_of_the_episode(
    server: Server[Callers], service: EpisodeService, catalogue: Catalogue
) -> None:
    scenario = catalogue.get("RP-001")
    async with Client(server, extensions=SHOWS_APPS) as client:
        started = await client.call_tool("start_drill", {"incident": "RP-001"})
        handle = read_numbers(started)["episode_id"]
        *before, last = await play(client, play_perfectly(scenario.incident, scenario.task))
        whole = draw_frames(await service.get(handle))
        assert read_frames(started) == json.loads(json.dumps(whole[:1]))
        for number, result in enumerate(before, 1):
            if FRAMES not in (result.meta or {}):
                assert whole[number]["evidence"] is None
            else:
                assert read_frames(result) == json.loads(json.dumps(whole[number : number + 1]))
        for result in (last, await client.call_tool("grade_drill", {}), await client.call_tool("show_drill", {})):
            assert read_frames(result) == json.loads(json.dumps(whole))
        (read,) = (await client.read_resource(f"incident://{handle}/frames")).contents
        assert isinstance(read, TextResourceContents)
        assert json.loads(read.text) == json.loads(json.dumps(whole))
    assert whole[-1]["grade"]["score"] == 1.0
    assert whole[-1]["debrief"]["root_cause"] == scenario.incident.truth.service
    assert not [moment for moment in whole[:-1] if "grade" in moment or "debrief" in moment]


async def test_a_further_page_comes_with_every_frame(service: EpisodeService) -> None:
    server = build_server(service, version="test", page_size=600, app=PAGE)
    async with Client(server, extensions=SHOWS_APPS) as client:
        await start(client, "RP-001")
        for service_name in ("postgres-db", "api-gateway"):
            await client.call_tool("query_logs", {"service": service_name})
        page = await client.call_tool("query_logs", {"service": "postgres-db", "page": 2})
        assert [moment["step"] and moment["step"]["step"] for moment in read_frames(page)] == [None, 1, 2]


@pytest.mark.parametrize(
    "extensions", [None, [advertise(EXTENSION_ID, {"mimeTypes": ["text/html"]})]], ids=["none", "other content"]
)
@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_other_clients_get_the_same_results_as_without_an_app(
    service: EpisodeService, catalogue: Catalogue, extensions: Any, era: str
) -> None:
    actions = play_perfectly(catalogue.get("RCA-001").incident, catalogue.get("RCA-001").task)
    seen = []
    for app in (None, PAGE):
        server = build_server(service, version="test", app=app)
        async with Client(server, mode=era, extensions=extensions) as client:
            handle = await start(client, "RCA-001")
            results = [await client.call_tool("show_drill", {}), *await play(client, actions)]
            results.append(await client.call_tool("grade_drill", {}))
            resources = (await client.list_resources()).resources
            tools = [tool.model_copy(update={"meta": None}) for tool in (await client.list_tools()).tools]
            everything = json.dumps([given.model_dump(mode="json") for given in (*results, *resources, *tools)])
            seen.append(re.sub(r'"incarnation": "\w+"', "", everything.replace(handle, "HANDLE")))
    assert seen[0] == seen[1]


async def test_what_it_costs_those_who_never_show_it(service: EpisodeService) -> None:
    sizes = []
    for app in (None, PAGE):
        async with Client(build_server(service, version="test", app=app)) as client:
            tools = (await client.list_tools()).tools
            sizes.append(len(json.dumps([tool.model_dump(by_alias=True, exclude_none=True) for tool in tools])))
    assert 0 < sizes[1] - sizes[0] < 1_200


async def test_it_is_declared_in_the_handshake_too(server: Server[Callers]) -> None:
    heard: list[Any] = []

    async def hear(ctx: Any, call_next: Any) -> Any:
        result = await call_next(ctx)
        if ctx.method == "initialize":
            heard.append(result["capabilities"])
        return result

    server.middleware.insert(0, hear)
    async with Client(server, mode=LEGACY) as client:
        await client.list_tools()
    (capabilities,) = heard
    assert capabilities["extensions"] == {EXTENSION_ID: {}}
    assert capabilities["tools"] == {"listChanged": False}


async def test_an_agent_under_test_meets_no_app(service: EpisodeService) -> None:
    episode = await service.create(Selection(scenario_id="RCA-001"))
    server = build_server(service, version="test", bound=bind_to(episode), episode=episode, app=PAGE)
    async with Client(server, extensions=SHOWS_APPS) as agent:
        assert not agent.server_capabilities.extensions
        assert all(tool.meta is None for tool in (await agent.list_tools()).tools)
        assert "ui://" not in str(await agent.list_resources())
        assert "frames" not in str(await agent.list_resource_templates())
        looked = await agent.call_tool("query_logs", {"service": "postgres-db"})
        assert FRAMES not in (looked.meta or {})
        for uri in (APP_URI, "incident://current/frames"):
            with pytest.raises(MCPError):
                await agent.read_resource(uri)


async def test_frames_before_the_end_reveal_nothing(
    server: Server[Callers], scenario: Scenario, catalogue: Catalogue
) -> None:
    other = next(entry for entry in catalogue.of_task(scenario.task.id) if entry.id != scenario.id)
    fetched = []
    for started in (scenario, other):
        async with Client(server, extensions=SHOWS_APPS) as client:
            handle = await start(client, started.id)
            results = [await client.call_tool("query_logs", {"service": "nowhere"})]
            results.append(await client.call_tool("show_drill", {}))
            read = await client.read_resource(f"incident://{handle}/frames")
            moments = [frame for result in results for frame in read_frames(result)]
            pieces = [json.dumps(moment, indent=0) for moment in moments] + [str(read)]
            lines = {line for piece in pieces for line in piece.replace("\\n", "\n").split("\n")}
            fetched.append({line.replace(handle, "HANDLE") for line in lines if '"alert"' not in line})
    text = telling(scenario, *fetched)
    for name, pattern in secrets_of(scenario).items():
        assert not (found := pattern.search(text)), (name, text[found.start() - 80 : found.end() + 80])


async def test_what_users_lost_is_in_the_picture_of_the_end_only(service: EpisodeService) -> None:
    seed, difficulty = min(list_proofs(), key=lambda key: (key[1] != 2, key))
    scenario = service.catalogue.get(f"GEN2-RP-D{difficulty}-{seed}")
    perfect = play_perfectly(scenario.incident, scenario.task)
    server = build_server(service, version="test", app=PAGE)
    async with Client(server, extensions=SHOWS_APPS) as client:
        handle = await start(client, scenario.id)
        *before, last = await play(client, perfect)
        assert not any("curves" in f"{result}" or "minutes_lost" in f"{result}" for result in before)
        review = read_frames(last)[-1]["debrief"]["review"]
        assert review["curves"]["remediations"]
        assert "curves" not in f"{read_frames(last)[:-1]}"
        (page,) = (await client.read_resource(f"incident://{handle}/frames")).contents
        assert isinstance(page, TextResourceContents)
        assert json.loads(page.text)[-1]["debrief"]["review"] == review


async def test_a_refusal_has_no_picture(server: Server[Callers]) -> None:
    async with Client(server, extensions=SHOWS_APPS) as client:
        refused = await client.call_tool("show_drill", {})
        assert "Call start_drill first" in read_text(refused)
        assert FRAMES not in (refused.meta or {})
