"""Playing through MCP clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult, TextContent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcp import Client

    from scenarios.vocabulary import Action

MODERN = "2026-07-28"
LEGACY = "legacy"


@dataclass(frozen=True)
class Transcript:
    """What a client saw of an episode, without its handle."""

    texts: tuple[str, ...]
    rewards: tuple[float, ...]
    score: float | None


def text_of(result: CallToolResult) -> str:
    """The text of a tool result."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def numbers_of(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a tool result."""
    numbers = result.structured_content
    assert isinstance(numbers, dict)
    return numbers


async def start(client: Client, scenario_id: str) -> str:
    """Start a scenario; its handle."""
    started = await client.call_tool("start_incident", {"scenario_id": scenario_id})
    assert not started.is_error, text_of(started)
    handle: str = numbers_of(started)["episode_id"]
    return handle


async def play_through(client: Client, handle: str, actions: Iterable[Action]) -> Transcript:
    """Play actions on an episode; an empty handle leaves it out."""
    texts, rewards, score = [], [], None
    for action in actions:
        arguments = action.parameters.model_dump(exclude_defaults=True)
        result = await client.call_tool(action.name, {**arguments, **({"episode_id": handle} if handle else {})})
        numbers = numbers_of(result)
        texts.append(text_of(result))
        rewards.append(numbers["reward"])
        score = numbers.get("grade", {}).get("score")
    return Transcript(tuple(texts), tuple(rewards), score)
