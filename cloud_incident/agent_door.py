"""Where agents reach their episodes: on which port their endpoints are served, and at which address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from starlette.routing import BaseRoute, Match, Route, Router

from cloud_incident.settings.server import EVERYWHERE, build_address
from env_core.callers import OPERATE
from env_core.stores import Claim
from http_compat.gate import FORWARDED_HOST
from http_compat.problems import build_problem
from mcp_server.transports import AGENT_PATH

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_incident.settings.server import ServerSettings
    from env_core.episode import Episode
    from env_core.service import EpisodeService

_AUTHORITY = re.compile(r"[A-Za-z0-9._-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


@dataclass(frozen=True, slots=True)
class AgentAddresses:
    """Gives the addresses of agents' endpoints."""

    service: EpisodeService
    settings: ServerSettings

    async def locate(self, scope: MutableMapping[str, Any], episode: Episode) -> str:
        """The address of an episode's endpoint, as whoever sent a request reaches it.

        Who may only play is told none (""), since its key is of use when the token is not any more. Where agents have a
        port of their own, and the settings do not say where that is reached, it is taken for one of the host that the
        request names.
        """
        if OPERATE not in self.service.caller.scopes:
            return ""
        return f"{self._find_base(scope)}{await self.find_path(episode)}"

    async def find_path(self, episode: Episode) -> str:
        """The path of an episode's endpoint, below where agents reach the server."""
        key = (await self.service.get_keys()).make(Claim(episode.id, episode.incarnation))
        return AGENT_PATH.format(key=key)

    def _find_base(self, scope: MutableMapping[str, Any]) -> str:
        settings = self.settings
        if settings.agent_url:
            return settings.agent_url
        authority = _read_authority(scope) or settings.address.removeprefix("http://")
        if settings.agent_port is None:
            scheme = "https" if scope["scheme"] in {"https", "wss"} else "http"
            return f"{scheme}://{authority}{scope.get('root_path', '').rstrip('/')}"
        own = settings.agent_host or settings.host
        if own in EVERYWHERE or own == settings.host:
            own = re.sub(r":\d+\Z", "", authority).strip("[]")
        return build_address(own, settings.agent_port)


def _read_authority(scope: MutableMapping[str, Any]) -> str:
    """Host and port by which a request reached the server, or the outermost proxy that is trusted; "" if none does."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    forwarded = cast("bytes", scope.get(FORWARDED_HOST, b"")).partition(b",")[0].strip()
    texts = (text.decode("latin-1") for text in (forwarded, host))
    return next((text for text in texts if _AUTHORITY.fullmatch(text)), "")


class AgentPort(BaseRoute):
    """Everything on the agents' port: their endpoints, and nothing else.

    Which port a request came in by is what its connection says, and no header.
    """

    path = AGENT_PATH

    def __init__(self, port: int, agents: ASGIApp) -> None:
        self._port = port
        self.app = agents
        self._router = Router([Route(AGENT_PATH, agents)], redirect_slashes=False, default=_refuse)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        server = scope.get("server")
        return (Match.FULL if server is not None and server[1] == self._port else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
    else:
        message = "On this port there is nothing but the endpoints of agents."
        await build_problem(404, message)(scope, receive, send)
