"""The ways in which OpenEnv and its users start the server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.servers import await_port, free_port
from tests.slow import mark_slow_after

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize("command", mark_slow_after(1, [["uvicorn", "server.app:app"], ["cloud_incident", "serve"]]))
def test_it_starts_and_is_healthy(command: list[str]) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--host", "0.0.0.0", "--port", str(port)],  # noqa: S104 - as the document prints it
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        await_port(port, process)
        with urlopen(f"http://localhost:{port}/health", timeout=10) as answer:
            assert json.load(answer)["status"] == "healthy"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.slow
def test_several_ports_are_served_and_a_stop_is_a_success() -> None:
    ports = [free_port(), free_port()]
    arguments = [part for port in ports for part in ("--port", str(port))]
    process = subprocess.Popen(
        [sys.executable, "-m", "cloud_incident", "serve", *arguments], stderr=subprocess.PIPE, text=True
    )
    try:
        for port in ports:
            await_port(port, process)
            with urlopen(f"http://localhost:{port}/health", timeout=10) as answer:
                assert json.load(answer)["status"] == "healthy"
    finally:
        process.terminate()
        process.wait(10)
    assert process.returncode == 0
    assert process.stderr is not None
    assert f"http://127.0.0.1:{ports[0]}/docs" in process.stderr.read()
    process.stderr.close()
