"""The content, resources and prompts that the MCP conformance suite asks for by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mcp.shared.uri_template import UriTemplate
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    EmbeddedResource,
    GetPromptResult,
    ImageContent,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext
    from mcp_types import ContentBlock, GetPromptRequestParams, ReadResourceRequestParams

    Context = ServerRequestContext[Any, Any]
    Reader = Callable[[Context, ReadResourceRequestParams], Awaitable[ReadResourceResult]]

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
_SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA=="

IMAGE = ImageContent(type="image", data=_PIXEL, mime_type="image/png")
AUDIO = AudioContent(type="audio", data=_SILENCE, mime_type="audio/wav")


def text(words: str) -> TextContent:
    """Words as content."""
    return TextContent(type="text", text=words)


def embedded(uri: str, words: str, mime_type: str = "text/plain") -> EmbeddedResource:
    """A resource inside content."""
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=words))


_CONTENTS: dict[str, TextResourceContents | BlobResourceContents] = {
    "test://static-text": TextResourceContents(
        uri="test://static-text", mime_type="text/plain", text="This is the content of the static text resource."
    ),
    "test://static-binary": BlobResourceContents(uri="test://static-binary", mime_type="image/png", blob=_PIXEL),
    "test://watched-resource": TextResourceContents(
        uri="test://watched-resource", mime_type="text/plain", text="Watched resource content"
    ),
}
_TEMPLATE = UriTemplate.parse("test://template/{id}/data")

RESOURCES = [Resource(uri=uri, name=uri.rpartition("/")[2], mime_type=it.mime_type) for uri, it in _CONTENTS.items()]
TEMPLATES = [ResourceTemplate(name="template", uri_template=str(_TEMPLATE), mime_type="application/json")]


def reader(params: ReadResourceRequestParams) -> Reader | None:
    """What reads a resource, if it is one of these."""
    uri = str(params.uri)
    contents = _CONTENTS.get(uri)
    matched = _TEMPLATE.match(uri)
    if contents is None and matched is not None:
        words = json.dumps({"id": matched["id"]})
        contents = TextResourceContents(uri=uri, mime_type="application/json", text=words)
    if contents is None:
        return None
    result = ReadResourceResult(contents=[contents])

    async def read(_: Context, __: ReadResourceRequestParams) -> ReadResourceResult:
        return result

    return read


def _messages(*content: ContentBlock) -> GetPromptResult:
    return GetPromptResult(messages=[PromptMessage(role="user", content=one) for one in content])


async def _simple(_: Context, __: GetPromptRequestParams) -> GetPromptResult:
    return _messages(text("This is a simple prompt for testing."))


async def _with_arguments(_: Context, params: GetPromptRequestParams) -> GetPromptResult:
    given = params.arguments or {}
    return _messages(text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'"))


async def _with_resource(_: Context, params: GetPromptRequestParams) -> GetPromptResult:
    uri = (params.arguments or {})["resourceUri"]
    return _messages(
        embedded(uri, "Embedded resource content for testing."),
        text("Please process the embedded resource above."),
    )


async def _with_image(_: Context, __: GetPromptRequestParams) -> GetPromptResult:
    return _messages(IMAGE, text("Please analyze the image above."))


def _prompt(name: str, description: str, *arguments: str) -> Prompt:
    required = [PromptArgument(name=argument, required=True) for argument in arguments]
    return Prompt(name=name, description=description, arguments=required)


PROMPTS = [
    (_prompt("test_simple_prompt", "Takes no arguments."), _simple),
    (_prompt("test_prompt_with_arguments", "Repeats its arguments.", "arg1", "arg2"), _with_arguments),
    (_prompt("test_prompt_with_embedded_resource", "Embeds a resource.", "resourceUri"), _with_resource),
    (_prompt("test_prompt_with_image", "Shows an image."), _with_image),
]
