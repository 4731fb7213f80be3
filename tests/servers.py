"""Servers of this project: on a thread of this process to be talked to, as a process of their own to start and end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from mcp import StdioServerParameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import uvicorn
    from starlette.routing import BaseRoute

    from cloud_incident.settings.serve import ServeSettings

START_SECONDS = 120
"""The longest that a server may take to start, on a machine that others use too and with its coverage measured."""


def stdio(*arguments: str) -> StdioServerParameters:
    """How a client starts the server over stdio. Its episodes are in memory, unless the arguments name a store."""
    store = () if "--store" in arguments else ("--store", "memory")
    return StdioServerParameters(command=sys.executable, args=["-m", "cloud_incident", "mcp", *store, *arguments])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@cache
def read_routes() -> list[BaseRoute]:
    """Every route that a server has, with and without tokens."""
    from cloud_incident.app import build_app
    from cloud_incident.settings.serve import ServeSettings

    return build_app(ServeSettings()).routes


@contextmanager
def http_server(*arguments: str) -> Iterator[str]:
    """An MCP server over HTTP as a process of its own; its base address."""
    with started("mcp", *arguments) as (address, _):
        yield address


@contextmanager
def full_server(*arguments: str, **variables: str) -> Iterator[str]:
    """A server with every surface in this process; its base address.

    It is what `cloud-incident serve` makes of these arguments, with further variables in its environment.
    """
    # Scripts ask this module for a free port; the application takes seconds to import.
    from cloud_incident.app import build_app
    from cloud_incident.listening import make_server

    with _serve_settings(arguments, variables) as settings:
        server = make_server(build_app(settings), settings)
        with on_a_thread(server) as address:
            yield address


@contextmanager
def server_for_agents(*arguments: str, **variables: str) -> Iterator[tuple[str, str]]:
    """A server with every surface in this process, on which agents have a port of their own.

    Its base address, and the one where agents reach it.
    """
    from cloud_incident.app import build_app
    from cloud_incident.listening import listen, make_server

    with _serve_settings(("--port", "0", "--agent-port", "0", *arguments), variables) as wanted:
        sockets, settings = listen(wanted)
        with on_a_thread(make_server(build_app(settings), settings), *sockets) as address:
            yield address, f"http://127.0.0.1:{settings.agent_port}"


@contextmanager
def _serve_settings(arguments: Sequence[str], variables: Mapping[str, str]) -> Iterator[ServeSettings]:
    """The settings of `cloud-incident serve` with these arguments and variables, which are there meanwhile."""
    from cloud_incident.cli.options import load_settings
    from cloud_incident.cli.serve import serve
    from cloud_incident.settings.serve import ServeSettings

    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with serve.make_context("serve", list(arguments)) as context:
            settings = load_settings(ServeSettings, context)
        yield settings


@contextmanager
def on_a_thread(server: uvicorn.Server, *listeners: socket.socket) -> Iterator[str]:
    """A server that runs on a thread, on a free port if none is listened on; the base address of the first one."""
    listener, *others = listeners or [socket.create_server(("127.0.0.1", 0), backlog=2048)]
    thread = threading.Thread(target=server.run, args=([listener, *others],), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        for each in (listener, *others):
            each.close()


@contextmanager
def started(*arguments: str, **variables: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server as a process of its own, with further variables in its environment."""
    port = free_port()
    command = [sys.executable, "-m", "cloud_incident", *arguments, "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, **variables})
    try:
        await_port(port, process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(START_SECONDS)
        if process.stderr is not None:
            process.stderr.close()


def await_port(port: int, process: subprocess.Popen[Any]) -> None:
    """Wait until a process listens on a port."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}")
        time.sleep(0.05)
    raise RuntimeError("the server did not start in time")
