"""The application with what the MCP conformance suite asks for by name beside its own tools, resources and prompts."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import ListenHandler
from mcp.shared.exceptions import MCPDeprecationWarning
from mcp_types import (
    EmptyResult,
    SetLevelRequestParams,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)

from cloud_incident.app import build_app
from cloud_incident.listening import run_app
from cloud_incident.settings.serve import ServeSettings
from mcp_server import build_server
from tests.interop import conformance_content, conformance_rounds, conformance_tools

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server
    from starlette.applications import Starlette

    from env_core.service import EpisodeService
    from mcp_server.binding import Callers

    Context = ServerRequestContext[Any, Any]
    Handler = Callable[[Context, Any], Awaitable[Any]]
    Find = Callable[[Any], Handler | None]
    """Finds what answers a request, if it is for a fixture."""

_TOOLS = {tool.definition.name: tool for tool in (*conformance_tools.TOOLS, *conformance_rounds.TOOLS)}
_PROMPTS = {
    prompt.name: (prompt, handler) for prompt, handler in (*conformance_content.PROMPTS, *conformance_rounds.PROMPTS)
}


def fixture_server(service: EpisodeService, **options: Any) -> Server[Callers]:
    """What `build_server` builds, and the fixtures beside it: whatever is not one of them the server answers itself."""
    server = build_server(service, **options)
    _list_more(server, "tools/list", "tools", [tool.definition for tool in _TOOLS.values()])
    _list_more(server, "prompts/list", "prompts", [prompt for prompt, _ in _PROMPTS.values()])
    _list_more(server, "resources/list", "resources", conformance_content.RESOURCES)
    _list_more(server, "resources/templates/list", "resource_templates", conformance_content.TEMPLATES)
    _answer_first(server, "tools/call", lambda params: _TOOLS[params.name].handler if params.name in _TOOLS else None)
    _answer_first(server, "prompts/get", lambda params: _PROMPTS[params.name][1] if params.name in _PROMPTS else None)
    _answer_first(server, "resources/read", conformance_content.reader)
    server.add_request_handler("logging/setLevel", SetLevelRequestParams, _agree)
    server.add_request_handler("resources/subscribe", SubscribeRequestParams, _agree)
    server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, _agree)
    server.add_request_handler(
        "subscriptions/listen", SubscriptionsListenRequestParams, ListenHandler(conformance_tools.BUS)
    )
    server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=server.name))
    server.get_tool_input_schema = partial(_input_schema, server.get_tool_input_schema)
    return server


def _own(server: Server[Callers], method: str) -> tuple[Any, Handler]:
    """The parameters and the handler that the server has of itself."""
    entry = server.get_request_handler(method)
    if entry is None:
        raise LookupError(method)
    return entry.params_type, entry.handler


def _list_more(server: Server[Callers], method: str, field: str, more: Sequence[Any]) -> None:
    params_type, own = _own(server, method)

    async def listed(ctx: Context, params: Any) -> Any:
        result = await own(ctx, params)
        return result.model_copy(update={field: [*getattr(result, field), *more]})

    server.add_request_handler(method, params_type, listed)


def _answer_first(server: Server[Callers], method: str, find: Find) -> None:
    params_type, own = _own(server, method)

    async def answered(ctx: Context, params: Any) -> Any:
        return await (find(params) or own)(ctx, params)

    server.add_request_handler(method, params_type, answered)


async def _agree(_: Context, __: Any) -> EmptyResult:
    return EmptyResult()


def _input_schema(own: Callable[[str], Any] | None, name: str) -> Any:
    if name in _TOOLS:
        return _TOOLS[name].definition.input_schema
    return None if own is None else own(name)


def fixture_app(settings: ServeSettings) -> Starlette:
    """What `cloud-incident serve` serves, with the fixtures in every MCP server."""
    return build_app(settings, make_server=fixture_server, streams=True)


@click.command()
@click.option("--port", type=int, required=True, help="Port to listen on.")
def main(port: int) -> None:
    """Serve until stopped."""
    # The older era is held to what the newer one has deprecated.
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    settings = ServeSettings(port=(port,))
    run_app(fixture_app, settings)


if __name__ == "__main__":
    main()
