"""Attacks on a server of its own: what each costs in memory, CPU and the wait of somebody who asks GET /health.

Run by `scripts/attack-check [ATTACK …]`. Everything stays on loopback, and each attack has a server of its own. It
fails if a bystander waited for longer than `MOST_WAIT_MS`, or if the server grew by more than `MOST_GROWTH_MB`.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import await_port, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_WAIT_MS = 50.0
MOST_GROWTH_MB = 60.0

POLL_SECONDS = 0.01
SEND_SECONDS = 10.0
MESSAGES_SECONDS = 3.0
REST_SECONDS = 10.0
HELD_SECONDS = 36.0
"""How long half-sent requests are held: longer than a body, or headers, may take."""

MCP_HEADERS = b"Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"


class Target:
    """The server under attack, and the sockets that an attack holds open."""

    def __init__(self, port: int, held: ExitStack) -> None:
        self.port = port
        self._held = held

    def connect(self) -> socket.socket:
        """A connection that is held until the attack has been measured."""
        connection = self._held.enter_context(closing(socket.create_connection(("127.0.0.1", self.port), timeout=30)))
        connection.settimeout(SEND_SECONDS)
        return connection

    def open_socket(self) -> socket.socket:
        """A WebSocket, after its handshake."""
        connection = self.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        connection.recv(4096)
        return connection

    def post(self, path: str, body: bytes, headers: bytes = MCP_HEADERS) -> None:
        """A request of which only the status is read."""
        connection = self.connect()
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n".encode()
        with suppress(OSError):
            connection.sendall(head + headers + b"\r\n" + body)
        read_some(connection)


def send(connection: socket.socket, data: bytes, seconds: float = SEND_SECONDS) -> None:
    """Send until all is sent, the time is over, or the server has hung up."""
    connection.setblocking(False)
    deadline = time.monotonic() + seconds
    left = memoryview(data)
    while left and time.monotonic() < deadline:
        try:
            left = left[connection.send(left[: 1 << 20]) :]
        except BlockingIOError:
            time.sleep(0.002)
        except OSError:
            return


def read_some(connection: socket.socket, seconds: float = 5.0) -> bytes:
    connection.settimeout(seconds)
    with suppress(OSError):
        return connection.recv(65536)
    return b""


def count_alive(connections: list[socket.socket]) -> int:
    """How many connections the server has not closed."""
    time.sleep(1)
    alive = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            while connection.recv(65536):
                pass
        except BlockingIOError:
            alive += 1
        except OSError:
            pass
    return alive


def do_nothing(_: Target) -> str:
    """No attack: what this machine makes a bystander wait for in any case."""
    time.sleep(10)
    return ""


def name_long_hosts(target: Target) -> str:
    """60 requests with a Host or an Origin of 4 MB."""
    for number in range(60):
        name = (b"Host: localhost\r\nOrigin" if number % 2 else b"Host") + b": %04d" % number
        connection = target.connect()
        send(connection, b"GET /health HTTP/1.1\r\n" + name + b"a" * 4_000_000 + b"\r\n\r\n")
        read_some(connection)
    return ""


def send_long_header(target: Target) -> str:
    """One header of 60 MB."""
    connection = target.connect()
    send(connection, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 60_000_000 + b"\r\n\r\n")
    return read_some(connection)[9:12].decode()


def send_long_trailer(target: Target) -> str:
    """One trailer of 60 MB behind a body in chunks."""
    connection = target.connect()
    head = b"POST /step HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
    send(connection, head + b"a" * 60_000_000 + b"\r\n\r\n")
    return read_some(connection)[9:12].decode()


def hold_half_requests(target: Target) -> str:
    """50 bodies to routes of MCP that never end, and 3,000 headers."""
    connections = []
    for number in range(50):
        connection = target.connect()
        connection.sendall(
            b"POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: 900000\r\n\r\n{"
            % ([b"/mcp", b"/messages?session_id=" + b"0" * 32, b"/agent/x/mcp"][number % 3], MCP_HEADERS)
        )
        connections.append(connection)
    for _ in range(3000):
        connection = target.connect()
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
        connections.append(connection)
    time.sleep(HELD_SECONDS)
    return f"{count_alive(connections)} of {len(connections)} open after {HELD_SECONDS:.0f} s"


def stay_silent(target: Target) -> str:
    """118 sockets that say nothing to a server with 128 file handles."""
    connections = []
    for _ in range(118):
        with suppress(OSError):
            connections.append(target.connect())
    time.sleep(2)
    return f"{count_alive(connections)} of 118 open"


def frame(opcode: int, payload: bytes = b"", *, final: bool = True) -> bytes:
    """A frame as a client sends it, masked with nothing."""
    return bytes([0x80 * final + opcode, 0x80 + len(payload)]) + bytes(4) + payload


def ping_without_reading(target: Target) -> str:
    """Pings whose pongs are never read."""
    connections = [target.open_socket() for _ in range(4)]
    for connection in connections:
        send(connection, frame(9, b"p" * 125) * 400_000, 5)
    return f"{count_alive(connections)} of 4 open"


def send_empty_continuations(target: Target) -> str:
    """Continuation frames without content."""
    connection = target.open_socket()
    send(connection, frame(1, b"{", final=False) + frame(0, final=False) * 1_000_000, 6)
    return f"{count_alive([connection])} of 1 open"


def send_tiny_messages(target: Target) -> str:
    """WebSocket messages that nobody waits for the answers of."""
    connections = [target.open_socket() for _ in range(4)]
    for connection in connections:
        send(connection, frame(1, b"{}") * 100_000, MESSAGES_SECONDS)
    return f"{count_alive(connections)} of 4 open"


def pipeline_requests(target: Target) -> str:
    """Requests that do not wait for the answers before them."""
    connections = [target.connect() for _ in range(4)]
    for connection in connections:
        send(connection, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50_000, MESSAGES_SECONDS)
    return f"{count_alive(connections)} of 4 open"


def initialize_with_long_names(target: Target) -> str:
    """60 sessions of MCP whose clients have names of 900 kB."""
    params = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "n" * 900_000, "version": "1"},
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
    for _ in range(60):
        target.post("/mcp", body)
    return ""


def never_read_events(target: Target) -> str:
    """20 clients over SSE that send requests and never read the answers."""
    connections = []
    ask = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}).encode()
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "n", "version": "1"}}
    first = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}).encode()
    ready = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
    for _ in range(20):
        connection = target.connect()
        connection.sendall(b"GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n")
        text = b""
        while b"session_id=" not in text and (more := read_some(connection)):
            text += more
        connections.append(connection)
        if b"session_id=" not in text:
            continue
        path = "/messages?session_id=" + text.partition(b"session_id=")[2][:32].decode()
        posting = HTTPConnection("127.0.0.1", target.port, timeout=1)
        with suppress(OSError):
            for body in (first, ready, *[ask] * 100):
                posting.request("POST", path, body, {"Content-Type": "application/json"})
                posting.getresponse().read()
        posting.close()
    return f"{count_alive(connections)} of 20 open"


def reset_fresh_seeds(target: Target) -> str:
    """192 resets, sixteen at once, each of an incident that has to be made.

    As many requests of any kind as 200 at once make a bystander wait for 50 to 90 ms, because each takes its turn.
    """
    statuses: list[str] = []
    for first in range(70_000_000, 70_000_192, 16):
        connections = []
        for seed in range(first, first + 16):
            connection = target.connect()
            body = json.dumps({"seed": seed, "difficulty": 5}).encode()
            head = f"POST /reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            connections.append(connection)
        statuses += [read_some(connection, 30)[9:12].decode() for connection in connections]
    return ", ".join(f"{statuses.count(status)} × {status or 'none'}" for status in sorted(set(statuses)))


ATTACKS: dict[str, Callable[[Target], str]] = {
    "none": do_nothing,
    "hosts": name_long_hosts,
    "header": send_long_header,
    "trailer": send_long_trailer,
    "half": hold_half_requests,
    "silent": stay_silent,
    "pings": ping_without_reading,
    "continuations": send_empty_continuations,
    "messages": send_tiny_messages,
    "pipeline": pipeline_requests,
    "initialize": initialize_with_long_names,
    "events": never_read_events,
    "resets": reset_fresh_seeds,
}
HANDLES = {"silent": 128}
"""File handles that the server may have, where an attack is about them."""


@contextmanager
def serve(handles: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A server as a process of its own: its port, and the process."""

    def limit() -> None:
        if handles:
            resource.setrlimit(resource.RLIMIT_NOFILE, (handles, handles))

    port = free_port()
    command = [sys.executable, "-m", "cloud_incident", "serve", "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=limit)
    try:
        await_port(port, process)
        for _ in range(5):
            ask_health(port)
        yield port, process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def ask_health(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def stand_by(port: int) -> None:
    """Ask for the health every 10 ms until the standard input ends; print the longest wait in ms and the failures."""
    os.set_blocking(0, False)
    longest, failures = 0.0, 0
    print("ready", flush=True)
    while sys.stdin.buffer.read(1) != b"":
        began = time.perf_counter()
        failures += not ask_health(port)
        longest = max(longest, time.perf_counter() - began)
        time.sleep(POLL_SECONDS)
    print(json.dumps([longest * 1000, failures]))


def await_rest(pid: int) -> None:
    """Wait until a process has worked off what it was sent."""
    deadline = time.monotonic() + REST_SECONDS
    used = -1.0
    while time.monotonic() < deadline and read_seconds(pid) - used > 0.3:
        used = read_seconds(pid)
        time.sleep(0.5)


def read_memory(pid: int) -> float:
    """Resident memory of a process, in MB; 0 if it has ended."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def read_seconds(pid: int) -> float:
    """CPU seconds that a process has used; 0 if it has ended."""
    with suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def measure(name: str) -> bool:
    """Run an attack and print a row of the table. Whether it stayed within the bounds."""
    with ExitStack() as held, serve(HANDLES.get(name, 0)) as (port, process):
        bystander = subprocess.Popen(
            [sys.executable, "-m", "tests.interop.attack_check", "--bystander", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if bystander.stdout is None:
            raise RuntimeError("the bystander has no output")
        bystander.stdout.readline()
        time.sleep(0.3)
        memory, seconds = read_memory(process.pid), read_seconds(process.pid)
        said = ATTACKS[name](Target(port, held))
        await_rest(process.pid)
        grown, used = read_memory(process.pid) - memory, read_seconds(process.pid) - seconds
        waited, failures = json.loads(bystander.communicate()[0])
        if process.poll() is not None:
            said = f"the server ended with {process.returncode}; {said}"
        held.close()
    kept = grown <= MOST_GROWTH_MB and waited <= MOST_WAIT_MS and not failures
    print(f"{name:14} {grown:8.0f} {used:7.2f} {waited:9.0f} {failures:9}  {said}", flush=True)
    return kept


def main(names: list[str]) -> None:
    unknown = set(names) - set(ATTACKS)
    if unknown:
        raise SystemExit(f"No attack is called {', '.join(sorted(unknown))}. Attacks: {', '.join(ATTACKS)}.")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard) if hard > soft else (soft, hard))
    print(f"{'attack':14} {'+MB':>8} {'CPU s':>7} {'wait ms':>9} {'failures':>9}")
    results = [measure(name) for name in names or ATTACKS]
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bystander"]:
        stand_by(int(sys.argv[2]))
    else:
        main(sys.argv[1:])
