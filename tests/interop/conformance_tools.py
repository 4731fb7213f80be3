"""The tools that the MCP conformance suite calls by name, but for those that answer in rounds.

They answer at once, report while they work, or ask the client something over the connection (2025-11-25).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolResult,
    ContentBlock,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    SamplingMessage,
    TextContent,
    Tool,
)

from tests.interop.conformance_content import AUDIO, IMAGE, embedded, text
from tests.interop.conformance_schemas import DEFAULTS, ENUMS, EVERY_KEYWORD, HEADER, USER, strings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext
    from mcp.shared.subscriptions import ServerEvent
    from mcp_types import CallToolRequestParams, InputRequiredResult

    Context = ServerRequestContext[Any, Any]
    Handler = Callable[[Context, CallToolRequestParams], Awaitable[CallToolResult | InputRequiredResult]]

BUS = InMemorySubscriptionBus()
"""Carries what the tools announce to whoever listens."""

_PAUSE = 0.05
"""Seconds between the notifications of one call, so that each has to be sent by itself."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """A tool that the suite calls."""

    definition: Tool
    handler: Handler


def fixture(name: str, handler: Handler, schema: dict[str, Any] | None = None) -> Fixture:
    """A tool described by its handler's docstring."""
    described = handler.__doc__ or name
    return Fixture(Tool(name=name, description=described, input_schema=schema or strings()), handler)


def said(words: str, *, error: bool = False) -> CallToolResult:
    """A result in words."""
    return CallToolResult(content=[text(words)], is_error=error)


def _showing(*content: ContentBlock) -> Handler:
    async def show(_: Context, __: CallToolRequestParams) -> CallToolResult:
        """Returns content of one kind or several."""
        return CallToolResult(content=list(content))

    return show


async def _failing(_: Context, __: CallToolRequestParams) -> CallToolResult:
    """Fails."""
    return said("This tool intentionally returns an error for testing", error=True)


async def _region(_: Context, params: CallToolRequestParams) -> CallToolResult:
    """Takes an argument that is repeated in a header."""
    return said(f"region={(params.arguments or {}).get('region')}")


async def _logging(ctx: Context, _: CallToolRequestParams) -> CallToolResult:
    """Logs while it works."""
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", words, related_request_id=ctx.request_id)
        await anyio.sleep(_PAUSE)
    return said("Tool with logging executed successfully")


async def _progress(ctx: Context, _: CallToolRequestParams) -> CallToolResult:
    """Reports progress while it works."""
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100)
        await anyio.sleep(_PAUSE)
    return said("Done")


async def _sampling(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    """Has the client's model answer a prompt."""
    prompt = SamplingMessage(role="user", content=text((params.arguments or {})["prompt"]))
    answer = await ctx.session.send_request(
        CreateMessageRequest(params=CreateMessageRequestParams(messages=[prompt], max_tokens=100)),
        CreateMessageResult,
        metadata=ServerMessageMetadata(related_request_id=ctx.request_id),
    )
    words = answer.content.text if isinstance(answer.content, TextContent) else "no text"
    return said(f"LLM response: {words}")


def _eliciting(schema: dict[str, Any]) -> Handler:
    async def elicit(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
        """Has the user fill in a form."""
        message = (params.arguments or {}).get("message", "Please fill this in")
        answer = await ctx.session.elicit_form(message, schema, ctx.request_id)
        return said(f"User response: action={answer.action}, content={answer.content}")

    return elicit


async def _needing_sampling(ctx: Context, _: CallToolRequestParams) -> CallToolResult:
    """Refuses clients that have no model to ask."""
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        raise MCPError(
            MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool needs sampling", {"requiredCapabilities": {"sampling": {}}}
        )
    return said("The client can sample.")


def _announcing(event: ServerEvent) -> Handler:
    async def announce(_: Context, __: CallToolRequestParams) -> CallToolResult:
        """Announces that a list has changed."""
        await BUS.publish(event)
        return said("Announced")

    return announce


_MIXED = (
    text("Multiple content types test:"),
    IMAGE,
    embedded("test://mixed-content-resource", '{"test": "data", "value": 123}', "application/json"),
)

TOOLS = [
    fixture("test_simple_text", _showing(text("This is a simple text response for testing."))),
    fixture("test_image_content", _showing(IMAGE)),
    fixture("test_audio_content", _showing(AUDIO)),
    fixture(
        "test_embedded_resource",
        _showing(embedded("test://embedded-resource", "This is an embedded resource content.")),
    ),
    fixture("test_multiple_content_types", _showing(*_MIXED)),
    fixture("test_error_handling", _failing),
    fixture("json_schema_2020_12_tool", _showing(text("It is the schema that counts.")), EVERY_KEYWORD),
    fixture("test_x_mcp_header", _region, HEADER),
    fixture("test_tool_with_logging", _logging),
    fixture("test_logging_tool", _logging),
    fixture("test_tool_with_progress", _progress),
    fixture("test_sampling", _sampling, strings("prompt")),
    fixture("test_elicitation", _eliciting(USER), strings("message")),
    fixture("test_elicitation_sep1034_defaults", _eliciting(DEFAULTS)),
    fixture("test_elicitation_sep1330_enums", _eliciting(ENUMS)),
    fixture("test_missing_capability", _needing_sampling),
    fixture("test_trigger_tool_change", _announcing(ToolsListChanged())),
    fixture("test_trigger_prompt_change", _announcing(PromptsListChanged())),
]
