"""Listening: an application under uvicorn until it is stopped."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import click
import uvicorn

from cloud_incident.bounds.connections import BoundedConfig, Connections
from cloud_incident.bounds.handles import raise_file_handles
from cloud_incident.bounds.http import BoundedHTTP
from cloud_incident.bounds.limits import ConnectionLimits
from cloud_incident.bounds.websocket import BoundedWebSocket
from cloud_incident.garbage import collect_seldom
from cloud_incident.telemetry.watching import configure_logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

    from cloud_incident.settings.server import ServerSettings

_BACKLOG = 2048
"""Connections that wait to be accepted; uvicorn's own default."""
_ACCEPTED_AT_ONCE = 32
"""Connections that are accepted before others are served again: asyncio accepts as many as it was told may wait."""
_TURN_SECONDS = 0.0005
"""How long a thread that makes an incident goes on while the one that serves waits, several times for a request."""

_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 120_000}
"""Options of connections that every system names alike, where it has them: in seconds, and in milliseconds the last."""

_REMEDIES = {
    errno.EADDRINUSE: "end the program that listens there, or choose another --{}port",
    errno.EACCES: "choose a --{}port above 1023",
    errno.EADDRNOTAVAIL: "choose a --{}host that is an address of this machine",
}

GRACE_SECONDS = 5
"""How long running requests may take to end when the server is stopped."""


class StoppingServer(uvicorn.Server):
    """Awaits what the application has as `state.stopping` before it stops, to end what running requests wait for."""

    def __init__(self, app: Starlette, config: BoundedConfig) -> None:
        super().__init__(config)
        self._app = app
        self._connections = config.connections
        self._watching: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        sys.setswitchinterval(_TURN_SECONDS)
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_BACKLOG)  # uvicorn has told the system how many are accepted at once
        self._watching = asyncio.create_task(self._connections.watch())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if (stopping := getattr(self._app.state, "stopping", None)) is not None:
            await stopping()
        await super().shutdown(sockets)
        if self._watching is not None:
            self._watching.cancel()


S = TypeVar("S", bound="ServerSettings")


class Listening(NamedTuple, Generic[S]):
    """The sockets that are listened on, and the settings with the ports that they have: 0 becomes the real one."""

    sockets: list[socket.socket]
    settings: S


def listen(settings: S) -> Listening[S]:
    """Listen on every port of the settings, that of agents too.

    Raises:
        ClickException: if a port cannot be listened on.
    """
    configure_logs(settings, always=True)
    sockets = [_bind(settings.host, port) for port in settings.port]
    found: dict[str, object] = {"port": tuple(_read_port(listener) for listener in sockets)}
    if settings.agent_port is not None:
        sockets.append(_bind(settings.agent_host or settings.host, settings.agent_port, "agent-"))
        found["agent_port"] = _read_port(sockets[-1])
    if settings.metrics_port is not None:
        sockets.append(_bind(settings.host, settings.metrics_port, "metrics-"))
    return Listening(sockets, settings.model_copy(update=found))


def run_app(build: Callable[[S], Starlette], settings: S, banner: Callable[[S], str] | None = None) -> None:
    """Build an application and serve it until SIGTERM or Ctrl-C: running requests end, WebSockets are closed (1012).

    It is built once every port is listened on, with settings that name the real ports. The `banner` of these is printed
    on standard error then.

    Raises:
        ClickException: if a port cannot be listened on.
    """
    sockets, settings = listen(settings)
    with ExitStack() as open_sockets:
        for each in sockets:
            open_sockets.enter_context(each)
        server = make_server(build(settings), settings)
        collect_seldom()
        if banner is not None:
            click.echo(banner(settings), err=True)
        end_on_terminate()  # uvicorn raises the signal anew when it has shut down
        server.run(sockets)


def end_on_terminate() -> None:
    """From now on SIGTERM ends the process with status 0, as Ctrl-C ends it with its own."""
    signal.signal(signal.SIGTERM, _exit)


def make_server(app: Starlette, settings: ServerSettings) -> uvicorn.Server:
    """The uvicorn server of an application. It listens on the sockets that it is run with.

    When it is stopped it first awaits the application's `state.stopping`, which ends what running requests wait for.
    """
    return StoppingServer(app, build_config(app, settings))


def build_config(app: Starlette, settings: ServerSettings) -> BoundedConfig:
    """How uvicorn serves an application."""
    ping_seconds, ping_timeout = settings.websocket_pings
    return BoundedConfig(
        app,
        Connections(ConnectionLimits.read(settings, raise_file_handles())),
        host=settings.host,
        http=BoundedHTTP,
        ws=BoundedWebSocket,
        ws_max_size=settings.max_body_bytes,
        ws_per_message_deflate=False,  # 40 KB of memory for every connection, and the messages are small
        log_config=None,
        log_level="warning",
        ws_ping_interval=ping_seconds,
        ws_ping_timeout=ping_timeout,
        proxy_headers=False,  # the application reads them, since it looks for more of them than uvicorn does
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=_ACCEPTED_AT_ONCE,
    )


def _exit(*_: object) -> None:
    raise SystemExit(0)


def _read_port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _bind(host: str, port: int, prefix: str = "") -> socket.socket:
    """Listen on a port; the settings that name it begin with the `prefix`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "choose another --{0}host or --{0}port").format(prefix)
        # The text of a system error repeats the address; a name that is not found has an errno below 0.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise click.ClickException(f"Cannot listen on {host}:{port}: {reason}; {remedy}.") from error
    _notice_lost_clients(listener)
    return listener


def _notice_lost_clients(listener: socket.socket) -> None:
    """Let the system end connections whose clients are gone without a word; the listener's options go over to them."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
