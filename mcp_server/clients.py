"""What is known of clients: which ones show their model structured content in place of the text."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext


class StructuredContent(StrEnum):
    """When results carry structured content beside their text. `auto`: unless the client is known to hide the text."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"

    def is_wanted(self, ctx: ServerRequestContext[Any, Any]) -> bool:
        """Whether the client of a request gets structured content."""
        if self is not StructuredContent.AUTO:
            return self is StructuredContent.ALWAYS
        client = ctx.session.client_params
        return client is None or not client.client_info.name.casefold().startswith(_HIDES_TEXT)


_HIDES_TEXT = ("claude-code", "codex", "opencode", "visual studio code", "fastmcp")
"""Names that clients give of themselves, by their beginnings.

Each of these passes its model the structured content alone when a result has any, so that the evidence, which is text,
would never be read. (Pydantic AI connects through the fastmcp client.) A result without structured content is shown as
it should be; no tool declares an output schema, which would make such a result an error.
"""
