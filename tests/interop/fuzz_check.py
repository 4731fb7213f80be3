"""Requests that are wrong in every way, sent to a server of its own while somebody else plays an episode on it.

Run by `scripts/fuzz-check [REQUESTS [SEED]]`. The server never ends, never answers with a status of 5xx but 503, serves
the other player to a score of 1.0 meanwhile, and is no larger at the end than after the first quarter.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx2

from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue
from tests.cloud_incident.bounds.raw import write_frame, write_request
from tests.interop.attack_check import read_memory
from tests.servers import started

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS = 100_000
GROWTH_MB = 40.0
WAIT_SECONDS = 10.0

HOSTILE: list[Any] = [
    None, True, -1, 10**30, 1e308, -0.0, "", "\x00", "../../etc/passwd", "a" * 5_000, "\ud800", "‮", "{}", "[]", [], {},
    [[]], {"": {}}, "1", "NaN", "'; --", "<script>", "%00", "\r\nX: y", ["x"] * 500, {"a": {"b": {"c": 1}}},
    "query_logs", "RP-001", "train", 2**63, 0.1,
]  # fmt: skip
TEXTS = [
    b"", b"{", b"[" * 50_000, b'{"a":' * 20_000, b"NaN", b"1e999", b"1" * 4_000, b'"\xff\xfe"', b"\x00" * 100, b"null",
    b"{" + b",".join(b'"%d":1' % n for n in range(5_000)) + b"}", b'{"a":1,"a":2}', b"\xef\xbb\xbf{}", b'"\\ud800"',
    b"Infinity", b'{"type":"reset"}' * 3, b"<xml/>", b'{"jsonrpc":"2.0"}', b"--x\r\n\r\n",
]  # fmt: skip
NAMES = [
    "episode_id", "task_id", "scenario_id", "scenario_index", "split", "index", "seed", "difficulty", "random",
    "reward_mode", "observation", "request_id", "action", "action_type", "parameters", "service", "type", "data",
    "tool_name", "arguments", "resume", "after", "fork_id", "method", "params", "id", "jsonrpc",
]  # fmt: skip
HANDLES = ["..", "%2e%2e%2f", "a/b", "%00", "%ff", "x" * 3_000, "%0d%0aX:y", "fuzz", "*", "?", "‮"]
MCP = "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
HEADERS = [
    "", MCP, "Content-Type: text/plain\r\n", "X-Episode-Id: ../..\r\n", "Cookie: episode_id=~~~\r\n",
    "Accept: q=;,;/\r\n",
    "X-Forwarded-For: ,,\r\n", "X-Forwarded-Prefix: /../x\r\n", "X-Forwarded-Proto: \x80\r\n",
    "Mcp-Session-Id: \xff\r\n",
    "MCP-Protocol-Version: 9999\r\n" + MCP, "Mcp-Method: \x80\r\n" + MCP, "Origin: http://[::1\r\n", "Host: evil\r\n",
    "Range: bytes=9-1,x\r\n", "Expect: 100-continue\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 7\r\n",
    "Authorization: Bearer \xff\xfe\r\n", "If-None-Match: *\r\n", "Upgrade: h2c\r\nConnection: Upgrade\r\n",
]  # fmt: skip
GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"G E T / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"\r\n" * 500, b"POST /step HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /step HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    b"POST /step HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    b"POST /step HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX\r\n: y\r\n\r\n", b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", b"CONNECT localhost:80 HTTP/1.1\r\n\r\n",
    b"GET \xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x00" * 2_000,
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\rSet-Cookie: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]  # fmt: skip
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n"


class Fuzz:
    """Draws requests by a seed, sends them, and notes how they were answered. To be closed after use."""

    def __init__(self, address: str, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same requests in every run
        self._port = urlsplit(address).port
        self._connection: socket.socket | None = None
        self._operations = self._list_operations(address)
        self._last = b""
        self.answers: Counter[int] = Counter()
        self.failures: list[str] = []

    def close(self) -> None:
        """Close the connection that requests share."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def send_one(self) -> None:
        """Draw a request, or a WebSocket's messages, and send it."""
        kinds: list[tuple[Callable[[], bytes], int]] = [
            (self._write_wrong_types, 60), (self._write_text, 16), (self._write_mcp, 12), (self._write_garbage, 8),
            (self._replay, 4),
        ]  # fmt: skip
        if self._random.random() < 0.03:
            self._speak_websocket()
            return
        request = self._random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]()
        self._note(request, self._exchange(request))
        self._last = request

    def _list_operations(self, address: str) -> list[tuple[str, str]]:
        paths = httpx2.get(f"{address}/openapi.json").json()["paths"]
        skipped = {"/console/runs"}  # it plays whole episodes, which is slow and allowed
        found = [(method.upper(), path) for path, methods in paths.items() if path not in skipped for method in methods]
        return [
            *found,
            ("POST", "/mcp"),
            ("POST", "/messages"),
            ("POST", "/agent/{episode_id}/mcp"),
            ("GET", "/static/x"),
        ]

    def _draw_value(self) -> Any:
        value = self._random.choice(HOSTILE)
        return {self._random.choice(NAMES): value} if self._random.random() < 0.2 else value

    def _draw_path(self) -> tuple[str, str]:
        method, path = self._random.choice(self._operations)
        while "{" in path:
            start, _, rest = path.partition("{")
            path = (
                start + quote(self._random.choice([*HANDLES, "cloud-incident"]), safe="%/?*") + rest.partition("}")[2]
            )
        if self._random.random() < 0.3:
            names = self._random.choices(NAMES, k=2)
            path += "?" + "&".join(
                f"{name}={quote(str(self._draw_value()), errors='replace')[:4_000]}" for name in names
            )
        return (
            self._random.choice(["PUT", "DELETE", "PATCH", "HEAD"]) if self._random.random() < 0.05 else method
        ), path

    def _write_wrong_types(self) -> bytes:
        body = {name: self._draw_value() for name in self._random.sample(NAMES, self._random.randint(0, 5))}
        if "seed" in body or "random" in body:
            body["scenario_id"] = "RP-001"  # incidents that have to be made are what other checks are about
        method, path = self._draw_path()
        text = json.dumps(body if self._random.random() < 0.9 else self._draw_value()).encode()
        return write_request(method, path.replace("seed=", "s="), self._random.choice(HEADERS), text)

    def _write_text(self) -> bytes:
        method, path = self._draw_path()
        return write_request(method, path, self._random.choice(HEADERS), self._random.choice(TEXTS))

    def _write_mcp(self) -> bytes:
        method = self._random.choice(
            [
                "initialize",
                "tools/call",
                "tools/list",
                "prompts/get",
                "resources/read",
                "completion/complete",
                "ping",
                "x",
            ]
        )
        params = {
            name: self._draw_value() for name in self._random.sample(["name", "arguments", "uri", "_meta", "ref"], 2)
        }
        message = {"jsonrpc": "2.0", "id": self._draw_value(), "method": method, "params": params}
        path = self._random.choice(["/mcp", "/agent/fuzz/mcp", "/messages?session_id=" + "0" * 32])
        return write_request("POST", path, self._random.choice([MCP, *HEADERS]), json.dumps(message).encode())

    def _write_garbage(self) -> bytes:
        garbage = self._random.choice(GARBAGE)
        if self._random.random() < 0.3:
            noise = bytearray(write_request("POST", "/step", MCP, b"{}"))
            for _ in range(self._random.randint(1, 8)):
                noise[self._random.randrange(len(noise))] = self._random.randrange(256)
            garbage = bytes(noise)
        return garbage

    def _replay(self) -> bytes:
        """The last request again; or a step with the id of a request that was answered."""
        step = {"action_type": "query_logs", "parameters": {"service": "api-gateway"}}
        body = json.dumps({"action": step, "request_id": "again", "episode_id": "fuzz"}).encode()
        return self._last or write_request("POST", "/step", "", body)

    def _exchange(self, request: bytes) -> bytes:
        """What the server answers: at least the first bytes of it, or nothing where it hung up."""
        for _ in range(2):
            try:
                if self._connection is None:
                    self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=WAIT_SECONDS)
                self._connection.sendall(request)
                return self._read_answer(self._connection)
            except TimeoutError:
                self.close()
                return b"HTTP/1.1 000 no answer"
            except OSError:
                self.close()
        return b""

    def _read_answer(self, connection: socket.socket) -> bytes:
        """An answer whose length is known, or its beginning; the connection goes on only after a whole one."""
        connection.settimeout(0.15)
        answer = b""
        with suppress(TimeoutError):
            answer = connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            if answer and length.isdigit() and b"connection: close" not in head.lower() and len(body) == int(length):
                return answer
        self.close()
        return answer

    def _speak_websocket(self) -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=WAIT_SECONDS) as connection:
            path = self._random.choice(["/ws", "/mcp", "/ws?session_id=%ff", "/nothing"])
            key = self._random.choice(["AAAAAAAAAAAAAAAAAAAAAA==", "x", ""])
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{UPGRADE.format(key)}\r\n".encode()
            connection.sendall(request)
            self._note(request, connection.recv(65536))
            for _ in range(8):
                payload = self._random.choice(
                    [*TEXTS, json.dumps({"type": "step", "data": self._draw_value()}).encode()]
                )
                opcode, final = self._random.choice([1, 1, 1, 2, 0, 3, 8, 9, 10, 15]), self._random.random() < 0.9
                connection.sendall(write_frame(opcode, payload[: 125 if opcode > 7 else None], final=final))
            connection.sendall(self._random.randbytes(40))
            connection.settimeout(0.02)
            connection.recv(65536)

    def _note(self, request: bytes, answer: bytes) -> None:
        status = int(answer[9:12]) if answer[9:12].isdigit() else 0
        self.answers[status] += 1
        if status >= 500 and status not in {501, 503}:
            self.failures.append(f"{status} to {request[:300]!r}")


def play_meanwhile(address: str, scores: list[float], over: threading.Event) -> None:
    """Play incidents until the fuzzing is over, and note the scores."""
    scenario = Catalogue().get("RP-001")
    with httpx2.Client(base_url=address, timeout=WAIT_SECONDS) as api:
        while not over.is_set() or not scores:
            handle = f"played-{len(scores)}"  # one without a name is anybody's
            api.post("/reset", json={"scenario_id": scenario.id, "episode_id": handle}).raise_for_status()
            for action in play_perfectly(scenario.incident, scenario.task):
                step = {"action": action.dump(), "episode_id": handle}
                api.post("/step", json=step).raise_for_status()
                time.sleep(0.01)
            scores.append(api.get("/grader", params={"episode_id": handle}).json()["score"])


def main(count: int, seed: int) -> int:
    with started("serve") as (address, process):
        threading.Thread(target=drain, args=(process.stderr,), daemon=True).start()
        fuzz, over = Fuzz(address, seed), threading.Event()
        scores: list[float] = []
        player = threading.Thread(target=play_meanwhile, args=(address, scores, over))
        player.start()
        early = 0.0
        began = time.monotonic()
        for number in range(count):
            if number == count // 4:
                early = read_memory(process.pid)
            fuzz.send_one()
            if process.poll() is not None:
                fuzz.failures.append(f"the server ended with {process.returncode}")
                break
        fuzz.close()
        over.set()
        player.join()
        grown = read_memory(process.pid) - early
        alive = httpx2.get(f"{address}/health").status_code == 200
    for failure in fuzz.failures[:20]:
        print(failure)
    answers = ", ".join(f"{number} × {status or 'none'}" for status, number in sorted(fuzz.answers.items()))
    print(f"{count} requests with seed {seed} in {time.monotonic() - began:.0f} s: {answers}.")
    print(
        f"{len(scores)} episodes played meanwhile, the lowest score {min(scores)}; "
        f"{grown:+.0f} MB after the first quarter."
    )
    return 0 if not fuzz.failures and alive and min(scores) == 1.0 and grown < GROWTH_MB else 1


def drain(log: Any) -> None:
    """Read what the server logs, so that it never waits for its reader."""
    with suppress(ValueError):
        while os.read(log.fileno(), 65536):
            pass


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    raise SystemExit(main(*(given + [REQUESTS, 1][len(given) :])))
