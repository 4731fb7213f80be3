"""Workers: several processes that serve one application on the same ports, and are started again when one ends."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING, NoReturn

import click

from cloud_incident.garbage import collect_seldom
from cloud_incident.listening import (
    GRACE_SECONDS,
    S,
    StoppingServer,
    build_config,
    end_on_terminate,
    listen,
    run_app,
)
from cloud_incident.telemetry.sharing import share_metrics

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.applications import Starlette

    from cloud_incident.bounds.connections import BoundedConfig
    from cloud_incident.settings.server import ServerSettings

_SETTLED_SECONDS = 10.0
"""A worker that served for less is started again after a pause, since the next one may end as soon."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_SERVING = b"1"
_LOOK_SECONDS = 0.02
"""How often it is looked whether the workers have ended that were told to."""


def run_server(build: Callable[..., Starlette], settings: S, banner: Callable[[S], str] | None = None) -> None:
    """Serve what `build` gives, in one process or in as many as the settings ask for, until SIGTERM or Ctrl-C.

    `build` takes the settings, and whether the application is the `first` one: that opens the incident at the start.

    Raises:
        ClickException: if a port cannot be listened on, or this system cannot fork.
        DocumentError, InvalidActionError, SelectionError, UnknownScenarioError, StoreUnavailableError: as `build` does.
    """
    if settings.workers == 1:
        run_app(build, settings, banner)
        return
    if not hasattr(os, "fork"):
        raise click.ClickException(
            "--workers needs a system that can fork a process, such as Linux. Start several servers on one store, each "
            "with a --port of its own, behind a load balancer."
        )
    sockets, settings = listen(settings)
    end_on_terminate()
    with share_metrics(settings):
        _Workers(build, settings, sockets).run("" if banner is None else banner(settings))


class _WorkerServer(StoppingServer):
    """Tells the parent when it serves, and stops when the parent has ended.

    Both are ends of pipes: `parent` is at its end when the parent has ended, and to `serving` something is written.
    """

    def __init__(self, app: Starlette, config: BoundedConfig, parent: int, serving: int | None) -> None:
        super().__init__(app, config)
        self._serving = serving
        self._parent = parent

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().add_reader(self._parent, self._stop)
        if self._serving is not None:
            os.write(self._serving, _SERVING)
            os.close(self._serving)

    def _stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._parent)
        self.should_exit = True


class _Workers:
    """The parent of the workers, which are forks of it, so that they share the memory of what is imported.

    uvicorn's own supervisor imports everything in every process, starts its own kind of server, which does not end what
    running requests wait for, and looks after the processes only twice a second.
    """

    def __init__(self, build: Callable[..., Starlette], settings: ServerSettings, sockets: list[socket.socket]) -> None:
        self._build = build
        self._settings = settings
        self._sockets = sockets
        self._running: dict[int, float] = {}  # when each was started, by its process id
        self._pause = 0.0
        self._parent, self._alive = os.pipe()

    def run(self, banner: str) -> NoReturn:
        """Serve until a signal ends the process.

        The first worker is alone until it serves: whatever keeps the settings from being served is said once.
        """
        collect_seldom()
        try:
            self._start_first()
            if banner:
                click.echo(banner, err=True)
            for _ in range(self._settings.workers - 1):
                self._start()
            while True:
                self._replace(*os.wait())
        finally:
            self._stop()

    def _start_first(self) -> None:
        reading, writing = os.pipe()
        pid = self._start(writing)
        os.close(writing)
        serving = os.read(reading, len(_SERVING))  # it comes when the worker serves, or ends
        os.close(reading)
        if not serving:
            _, status = os.waitpid(pid, 0)
            del self._running[pid]
            raise SystemExit(os.waitstatus_to_exitcode(status))

    def _start(self, serving: int | None = None) -> int:
        """Start a worker; the first one tells `serving` when it serves. In the worker this does not return."""
        pid = os.fork()
        if pid:
            self._running[pid] = time.monotonic()
            return pid
        self._running.clear()  # they are the parent's
        os.close(self._alive)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to the parent too, which ends the worker
        app = self._build(self._settings, first=serving is not None)
        config = build_config(app, self._settings)
        _WorkerServer(app, config, self._parent, serving).run(self._sockets)
        raise SystemExit(0)

    def _replace(self, pid: int, status: int) -> None:
        """Start another worker in the place of one that has ended; after a pause if it did not serve for long."""
        lasted = time.monotonic() - self._running.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        how = f"by signal {-code}" if code < 0 else f"with status {code}"
        click.echo(f"Process {pid} ended {how}; another takes its place.", err=True)
        self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE) if lasted < _SETTLED_SECONDS else 0.0
        time.sleep(self._pause)
        self._start()

    def _stop(self) -> None:
        """Tell every worker to end, and wait until they have; in a worker there is nobody to tell."""
        if not self._running:
            return
        for listener in self._sockets:
            listener.close()
        self._tell(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS + 1
        while self._running:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid:
                del self._running[pid]
            elif time.monotonic() > deadline:
                self._tell(signal.SIGKILL)
                deadline = float("inf")
            else:
                time.sleep(_LOOK_SECONDS)
        click.echo(f"Stopped {self._settings.workers} processes.", err=True)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._running:
            os.kill(pid, number)
