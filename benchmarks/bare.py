"""What the server is measured against: Starlette routes and MCP tools that do nothing, under the same settings.

`POST /step` answers with the next of the bytes that were put to `/answers`; `/ws` echoes; `/mcp` has a tool that
returns the same result for every call.
"""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from cloud_incident.listening import run_app
from cloud_incident.settings.mcp import McpSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

answers: list[bytes] = []
results: list[CallToolResult] = []
served = [0]


async def step(request: Request) -> Response:
    await request.body()
    served[0] += 1
    return Response(answers[served[0] % len(answers)], media_type="application/json")


async def put_answer(request: Request) -> Response:
    answers.append(await request.body())
    return Response()


async def put_result(request: Request) -> Response:
    results[:] = [CallToolResult.model_validate_json(await request.body())]
    return Response()


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


def app() -> Starlette:
    """The application."""
    noop = MCPServer("noop", log_level="ERROR")

    @noop.tool(name="query_logs")
    async def query_logs(service: str, page: int = 1, episode_id: str = "") -> CallToolResult:  # noqa: ARG001 - the same arguments
        return results[0]

    tools = noop.streamable_http_app(json_response=True)
    routes: list[BaseRoute] = [
        Route("/step", step, methods=["POST"]),
        Route("/answers", put_answer, methods=["PUT"]),
        Route("/result", put_result, methods=["PUT"]),
        WebSocketRoute("/ws", echo),
        *tools.routes,
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[Any]:
        async with noop.session_manager.run():
            yield

    return Starlette(routes=routes, lifespan=lifespan)


if __name__ == "__main__":
    run_app(lambda _: app(), McpSettings(port=(int(sys.argv[1]),)))
