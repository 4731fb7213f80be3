"""Messages of MCP: each is a call of its own, also where several come over one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError

from cloud_incident.telemetry.calls import REQUEST_ID_KEY, WatchedCall, mint_request_id
from env_core.calls import CURRENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

    from cloud_incident.telemetry.calls import Sink

_METHODS = frozenset(
    {
        "completion/complete",
        "initialize",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "server/discover",
        "tools/call",
        "tools/list",
    }
)
"""The methods that are told by their names. Clients may send any text as a method."""


@dataclass(frozen=True, slots=True)
class MessagesWatch:
    """Tells `sinks` of each request of MCP that comes over a surface. Notifications have no answer and are left out."""

    sinks: Sequence[Sink]
    surface: str

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.request_id is None:
            return await call_next(ctx)
        scope = {} if ctx.request is None else ctx.request.scope
        call = WatchedCall("call", scope.get(REQUEST_ID_KEY) or mint_request_id(), scope, self.surface)
        call.method = ctx.method if ctx.method in _METHODS else "other"
        token = CURRENT.set(call)
        for sink in self.sinks:
            sink.note_begin(call)
        try:
            return await call_next(ctx)
        except MCPError:
            call.refusal = call.refusal or "invalid_request"
            raise
        finally:
            call.finish()
            for sink in reversed(self.sinks):
                sink.note_end(call)
            CURRENT.reset(token)
