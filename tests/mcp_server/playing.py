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


def read_text(result: CallToolResult) -> str:
    """The text of a tool result."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def read_numbers(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a tool result."""
    numbers = result.structured_content
    assert isinstance(numbers, dict)
    return numbers


async def start(client: Client, scenario_id: str) -> str:
    """Start a scenario; its handle."""
    started = await client.call_tool("start_drill", {"incident": scenario_id})
    assert not started.is_error, read_text(started)
    handle: str = read_numbers(started)["episode_id"]
    return handle


async def play_through(client: Client, handle: str, actions: Iterable[Action]) -> Transcript:
    """Play actions on an episode; an empty handle leaves it out."""
    texts, rewards, score = [], [], None
    for action in actions:
        arguments = action.parameters.model_dump(exclude_defaults=True)
        result = await client.call_tool(action.name, {**arguments, **({"episode_id": handle} if handle else {})})
        numbers = read_numbers(result)
        texts.append(read_text(result).removesuffix(f"\nepisode_id: {numbers.get('episode_id')}"))
        rewards.append(numbers["reward"])
        score = numbers.get("grade", {}).get("score")
    return Transcript(tuple(texts), tuple(rewards), score)
