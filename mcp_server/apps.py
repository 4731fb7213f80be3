"""The MCP App (`io.modelcontextprotocol/ui`): a page that clients which can show one put beside a tool's result.

Text and structured content of a result stay what they are for everyone. The page draws *frames*. They travel in `_meta`
of results, where no model reads them, to clients that say they show apps; in a client that shows them and does not say
so, the page reads them at `incident://{episode_id}/frames`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID, client_supports_apps
from mcp_types import ReadResourceResult, Resource, TextResourceContents

from env_core.frames import draw_frame, draw_frames
from mcp_server.meta import FRAMES

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.lowlevel import Server

    from env_core.episode import Episode
    from scenarios.vocabulary import ActionDeclaration

APP_URI = "ui://cloud-incident/incident.html"

_PAGE_META = {"ui": {"csp": {"connectDomains": [], "resourceDomains": []}, "prefersBorder": True}}
"""The page asks no host for anything: it is one document, and its data comes from the client that shows it."""

MODEL_AND_PAGE = {"ui": {"resourceUri": APP_URI}}
"""`_meta` of a tool that the page may call as well, to look again."""
MODEL_ONLY = {"ui": {"resourceUri": APP_URI, "visibility": ["model"]}}
"""`_meta` of a tool that the page draws and must not call: only the model takes steps."""


def has_picture(action: ActionDeclaration) -> bool:
    """Whether the page draws what an action answers; one that changes running systems answers in a sentence."""
    return not action.destructive


@dataclass(frozen=True, slots=True)
class App:
    """The page as one HTML document, and what the tools that it draws say of it."""

    html: str

    def build_resource(self) -> Resource:
        """The page as `resources/list` has it; its `size` is in bytes."""
        return Resource(
            uri=APP_URI,
            name="incident-app",
            title="Incident",
            description="Draws an incident: alert, service map, evidence, score.",
            mime_type=APP_MIME_TYPE,
            size=len(self.html.encode()),
            meta=_PAGE_META,
        )

    def build_contents(self) -> ReadResourceResult:
        """The page as `resources/read` gives it."""
        return ReadResourceResult(
            contents=[TextResourceContents(uri=APP_URI, mime_type=APP_MIME_TYPE, text=self.html, meta=_PAGE_META)]
        )

    def is_shown(self, ctx: ServerRequestContext[Any, Any]) -> bool:
        """Whether a client says that it shows apps."""
        return client_supports_apps(ctx)

    def draw(self, ctx: ServerRequestContext[Any, Any], episode: Episode, *, whole: bool) -> dict[str, Any]:
        """What `_meta` of a result has for a client that shows apps: the last frame, or with `whole` every one.

        After the end it is every one, so that the page that shows the score can tell how it came about. For other
        clients it is empty.
        """
        if not self.is_shown(ctx):
            return {}
        return {FRAMES: draw_frames(episode) if whole or episode.done else [draw_frame(episode)]}


def declare(server: Server[Any]) -> None:
    """Have a server say that it has an app.

    The SDK says it in the current revision alone, and clients that begin with a handshake look for it there.
    """
    server.extensions[EXTENSION_ID] = {}
    server.middleware.append(_declare_in_handshake)


async def _declare_in_handshake(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    result = await call_next(ctx)
    if ctx.method == "initialize" and isinstance(result, dict):
        return {**result, "capabilities": {**result["capabilities"], "extensions": {EXTENSION_ID: {}}}}
    return result
