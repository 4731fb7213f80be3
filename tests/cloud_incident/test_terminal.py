"""A person at a terminal: what the commands say there, and how they end."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloud_incident.cli.interrupts import INTERRUPTED
from tests.servers import START_SECONDS
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-m", "cloud_incident"]


class Terminal:
    """A command at a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self.screen, other = pty.openpty()
        self.shown = ""
        # A session of its own with this terminal, so that Ctrl-C reaches the command and nothing else.
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=other, stdout=other, stderr=other, start_new_session=True, preexec_fn=_control
        )
        os.close(other)

    def await_text(self, text: str) -> None:
        """Read until a text has been shown, or the command has ended."""
        deadline = time.monotonic() + START_SECONDS
        while text not in self.shown and time.monotonic() < deadline:
            try:
                read = os.read(self.screen, 65536)
            except OSError:  # nobody has the other end any more
                return
            self.shown += read.decode()

    def press(self, keys: bytes) -> int:
        """Press keys, and give the exit status of the command."""
        os.write(self.screen, keys)
        self.await_text("nothing that is ever shown")
        return self.process.wait(START_SECONDS)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.screen)


def _control() -> None:
    """Make standard input the terminal that controls the session."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    opened = Terminal(*request.param)
    yield opened
    opened.close()


CTRL_C, CTRL_D = b"\x03", b"\x04"


@pytest.mark.slow
@pytest.mark.parametrize("terminal", [("mcp",)], indirect=True)
@pytest.mark.parametrize(("keys", "status"), mark_slow_after(1, [(CTRL_C, INTERRUPTED), (CTRL_D, 0)]))
def test_mcp_says_what_it_waits_for_and_ends_at_once(terminal: Terminal, keys: bytes, status: int) -> None:
    terminal.await_text("Ctrl-C ends this.")
    assert "This is an MCP server." in terminal.shown
    assert f"{Path(sys.executable).with_name('cloud-incident')} mcp" in terminal.shown
    assert terminal.press(keys) == status
    assert "Traceback" not in terminal.shown


@pytest.mark.slow
@pytest.mark.parametrize("terminal", [("serve", "--port", "0")], indirect=True)
def test_serve_says_where_it_listens_and_ends_without_a_word_of_python(terminal: Terminal) -> None:
    terminal.await_text("Ctrl-C ends it.")
    assert "Cloud Incident at http://127.0.0.1:" in terminal.shown
    assert "http://127.0.0.1:0" not in terminal.shown
    assert terminal.press(CTRL_C) == INTERRUPTED
    assert "Aborted" not in terminal.shown
    assert "Traceback" not in terminal.shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("terminal", "shown"),
    [
        (("audit", "--sample", "100", "--jobs", "2"), "incidents"),
        (("audit", "--sample", "100", "--jobs", "1"), "incidents"),
        (("generate", "--count", "200", "--out", "{}/generated"), "wrote"),
        (("evaluate", "--repeats", "100", "--out", "{}/played.jsonl"), "mean score"),
        (("lint", "scenarios/curated"), "fit to serve"),
        (("demo",), "Take the pager"),
    ],
    ids=["audit", "audit-alone", "generate", "evaluate", "lint", "demo"],
)
def test_a_long_command_ends_on_ctrl_c(terminal: tuple[str, ...], shown: str, tmp_path: Path) -> None:
    opened = Terminal(*(argument.format(tmp_path) for argument in terminal))
    opened.await_text(shown)
    assert opened.press(CTRL_C) == INTERRUPTED
    assert "Traceback" not in opened.shown
    assert "Aborted" not in opened.shown
    opened.close()


@pytest.mark.slow
def test_a_port_in_use_is_one_line_and_no_banner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        ended = subprocess.run([*COMMAND, "serve", "--port", port], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use; end the program that listens there, "
        "or choose another --port.\n"
    )


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_ends_the_command_quietly() -> None:
    with subprocess.Popen([*COMMAND, "show", "RP-001"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "redirection", "said"),
    [
        (["show", "RP-001"], ">/dev/full", "Standard output cannot be written: No space left on device."),
        (["mcp"], "<&-", "Standard input or output is closed"),
        (["show", "RP-001"], ">&-", ""),
    ],
)
def test_standard_streams_that_cannot_be_used(arguments: list[str], redirection: str, said: str) -> None:
    line = f'"$0" "$@" {redirection}'
    ended = subprocess.run(
        ["bash", "-c", line, *COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=START_SECONDS
    )
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("\n") == bool(said)
    assert ended.returncode == bool(said)
