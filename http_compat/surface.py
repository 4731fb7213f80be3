"""The OpenEnv surface put together: its routes over one episode service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute, request_response, websocket_session
from starlette.staticfiles import StaticFiles

from env_core.callers import PLAY, PUBLIC
from http_compat.about import STATIC, AboutApi
from http_compat.gate import Gate
from http_compat.jsontext import to_json
from http_compat.operations import read_root
from http_compat.ready import ReadyApi
from http_compat.rest import EpisodeApi
from http_compat.rpc import answer_text
from http_compat.sessions import Sessions
from http_compat.task_api import TaskApi
from http_compat.websocket import Sockets

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

    from env_core.agent_keys import LocateAgent
    from env_core.service import EpisodeService
    from http_compat.about import About
    from http_compat.operations import BoundOperation


class Mode(StrEnum):
    """OpenEnv's modes: in production there is no reset, step or state, only tools."""

    SIMULATION = "simulation"
    PRODUCTION = "production"


@dataclass(frozen=True)
class OpenEnvSurface:
    """OpenEnv over one episode service.

    With `shared_default` a request that names no episode means the last one that was started over REST. At most
    `most_sessions` are open; one that has been idle for `idle_seconds` makes room. Unless it is `alone`, the next
    request of a client may be answered by another process on the same store. `framed_by` are other sites that may show
    the pages in a frame; `secured` says that the server asks for tokens. `further` operations are served and documented
    beside its own, and `pages` are what people look at instead of the documentation; neither is there in production.
    """

    service: EpisodeService
    about: About
    locate_agent: LocateAgent
    mode: Mode = Mode.SIMULATION
    shared_default: bool = True
    alone: bool = True
    most_sessions: int = 1_000
    idle_seconds: float = 3600.0
    framed_by: tuple[str, ...] = ()
    secured: bool = False
    further: tuple[BoundOperation, ...] = ()
    pages: tuple[BaseRoute, ...] = ()

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.service, self.most_sessions, self.idle_seconds, alone=self.alone)

    @cached_property
    def ready(self) -> ReadyApi:
        return ReadyApi(self.service)

    def build_routes(self) -> list[BaseRoute]:
        """Every route but POST /mcp, which shares its path with MCP."""
        control = self.mode is Mode.SIMULATION
        bound = [
            *self.ready.bind_operations(),
            *(EpisodeApi(self.service, self.locate_agent, self.shared_default).bind_operations() if control else []),
            *TaskApi(self.service.catalogue, self.about.name).bind_operations(),
            *(self.further if control else ()),
        ]
        about = AboutApi(self.about, [each.operation for each in bound], self.framed_by, self.secured)
        sockets = Sockets(self.sessions, self.locate_agent, control)
        # Routes are tried in order: the one that is asked most comes first.
        ordered = sorted((*bound, *about.bind_operations()), key=lambda each: each.operation.path != "/step")
        return [
            *(each.build_route() for each in ordered),
            WebSocketRoute("/ws", Gate(PLAY, websocket_session(sockets.serve_messages))),
            WebSocketRoute("/mcp", Gate(PLAY, websocket_session(sockets.serve_rpc))),
            Mount("/static", Gate(PUBLIC, StaticFiles(directory=STATIC))),
            *(self.pages if control else ()),
            Route("/", Gate(PUBLIC, request_response(_redirect_to_docs))),
            Route("/web", Gate(PUBLIC, request_response(_redirect_to_page))),  # where OpenEnv's pages send people
        ]

    async def answer_rpc(self, body: bytes, scope: Scope) -> Response:
        """Answer the body of POST /mcp in OpenEnv's dialect. Every answer has status 200, errors included."""
        answer = to_json(await answer_text(self.sessions, body, partial(self.locate_agent, scope)))
        return Response(answer, media_type="application/json")


async def _redirect_to_docs(_: Request) -> Response:
    return RedirectResponse("docs")


async def _redirect_to_page(request: Request) -> Response:
    return RedirectResponse(f"{read_root(request)}/")
