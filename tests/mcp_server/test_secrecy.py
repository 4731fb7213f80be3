"""Until an episode is over nothing that a client can fetch reveals the truth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from env_core.perfect import look_at, play_perfectly
from env_core.selection import Selection
from mcp_server import build_server
from mcp_server.binding import bind_to
from scenarios.catalogue import Catalogue
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import ACTIONS
from tests.mcp_server.playing import read_numbers, read_text, start
from tests.secrets_of import MISSTEPS, secrets_of, telling

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from env_core.service import EpisodeService
    from mcp_server.binding import Callers
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action

pytestmark = pytest.mark.anyio


async def _count_steps_left(client: Client, named: dict[str, str]) -> int:
    """How many steps can be taken before an episode ends and its truth may be told."""
    look = await client.call_tool("query_logs", {**named, "service": "nowhere"})
    numbers = read_numbers(look)
    return int(numbers["max_steps"]) - int(numbers["step_count"]) - 1


async def fetch_everything(client: Client, handle: str) -> set[str]:
    """All that a client can fetch without a query: lists, resources, prompts, completions, errors, refusals."""
    named = {"episode_id": handle} if handle else {}
    pieces: list[Any] = [client.instructions, await client.list_tools(), await client.list_resource_templates()]
    resources = await client.list_resources()
    pieces += [resources, *[await client.read_resource(resource.uri) for resource in resources.resources]]
    prompts = await client.list_prompts()
    pieces.append(prompts)
    for prompt in prompts.prompts:
        takes = {argument.name for argument in prompt.arguments or []}
        pieces.append(await client.get_prompt(prompt.name, named if "episode_id" in takes else {}))
    for name in ("service", "incident", "task_id", "difficulty", "episode_id"):
        for prompt in prompts.prompts:
            pieces.append(
                await client.complete(PromptReference(type="ref/prompt", name=prompt.name), {"name": name, "value": ""})
            )
        template = ResourceTemplateReference(type="ref/resource", uri="incident://{episode_id}/evidence/{service}")
        pieces.append(await client.complete(template, {"name": name, "value": ""}))
    for uri in (f"incident://{handle or 'current'}/truth", "incident://x/alert", "oncall://answers"):
        try:
            pieces.append(await client.read_resource(uri))
        except MCPError as error:
            pieces.append(error)
    for tool in ("grade_drill", "show_drill", "list_drills"):
        pieces.append(await client.call_tool(tool, named if tool != "list_drills" else {}))
    for spec in ACTIONS.values():
        pieces.append(await client.call_tool(spec.name, {**named, "nonsense": 1}))
        pieces.append(await client.call_tool(spec.name, named))
    pieces += [
        await client.call_tool(name, {**named, **arguments})
        for name, arguments in MISSTEPS[: await _count_steps_left(client, named)]
    ]
    pieces.append(await client.call_tool("query_logs", {**named, "service": "nowhere", "page": 2}))
    lines = [line for piece in pieces for line in re.split(r"\\n|\n", str(piece))]
    return {line.replace(handle or "no handle", "HANDLE") for line in lines}


async def fetch_differences(server: Server[Callers], scenario: Scenario, other: Scenario, *looks: Action) -> str:
    """What a client can fetch of a scenario and not of another of its task, that could tell."""
    fetched = []
    for started in (scenario, other):
        async with Client(server) as client:
            handle = await start(client, started.id)
            for action in looks if started is scenario else ():
                await client.call_tool(action.name, action.parameters.model_dump())
            fetched.append(await fetch_everything(client, handle))
    return telling(scenario, *fetched)


@pytest.fixture
def other(scenario: Scenario, catalogue: Catalogue) -> Scenario:
    """Another scenario of the same task."""
    return next(entry for entry in catalogue.of_task(scenario.task.id) if entry.id != scenario.id)


async def test_nothing_before_the_end(server: Server[Callers], scenario: Scenario, other: Scenario) -> None:
    text = await fetch_differences(server, scenario, other)
    assert scenario.incident.summary.split("\n")[0] in text
    for name, pattern in secrets_of(scenario).items():
        assert not (found := pattern.search(text)), (name, text[found.start() - 80 : found.end() + 80])


@pytest.mark.slow
async def test_half_way_only_what_was_queried_is_shown(
    server: Server[Callers], scenario: Scenario, other: Scenario
) -> None:
    look = look_at(("query_logs", scenario.incident.alert["affected_services"][0]))
    text = await fetch_differences(server, scenario, other, look)
    assert "query_logs" in text
    for name, pattern in secrets_of(scenario).items():
        if not name.startswith("concept"):
            assert not (found := pattern.search(text)), (name, text[found.start() - 80 : found.end() + 80])


@pytest.mark.slow
async def test_the_agent_profile_reveals_no_more(service: EpisodeService, scenario: Scenario, other: Scenario) -> None:
    fetched = []
    for started in (scenario, other):
        episode = await service.create(Selection(scenario_id=started.id))
        server = build_server(service, version="test", bound=bind_to(episode), episode=episode)
        async with Client(server) as agent:
            fetched.append(await fetch_everything(agent, ""))
            assert not any(episode.id in piece for piece in fetched[-1])
    text = telling(scenario, *fetched)
    for name, pattern in secrets_of(scenario).items():
        assert not (found := pattern.search(text)), (name, text[found.start() - 80 : found.end() + 80])


async def test_the_debrief_comes_with_the_end(server: Server[Callers], scenario: Scenario) -> None:
    async with Client(server) as client:
        await start(client, scenario.id)
        *before, last = play_perfectly(scenario.incident, scenario.task)
        for action in before:
            result = await client.call_tool(action.name, action.parameters.model_dump(exclude_defaults=True))
            assert "grade" not in read_numbers(result)
        end = await client.call_tool(last.name, last.parameters.model_dump(exclude_defaults=True))
        assert scenario.incident.account.chain[0] in read_text(end)
        assert read_numbers(end)["grade"]["score"] == 1.0


async def test_the_debrief_of_a_drawn_incident_names_what_was_left(server: Server[Callers]) -> None:
    seed, difficulty = min(list_proofs(), key=lambda key: (key[1] != 3, key))
    scenario = Catalogue().get(f"GEN2-RCA-D{difficulty}-{seed}")
    first, *_, last = play_perfectly(scenario.incident, scenario.task)
    async with Client(server) as client:
        await start(client, scenario.id)
        before, after = [
            read_text(await client.call_tool(action.name, action.parameters.model_dump())) for action in (first, last)
        ]
    assert "Also possible" not in before
    assert "Beside it" not in before
    assert "Also possible by what was seen" in after
    assert scenario.incident.account.beside[0].text in after
