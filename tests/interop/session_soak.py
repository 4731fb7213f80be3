"""Agents' sessions, opened and ended one after the other on one server: none refused, memory flat, a stop at once.

Run by `scripts/session-soak [SESSIONS]`. Most sessions are ended by their client. Of the others the episode is closed,
or comes to its end; and some clients never say goodbye.
"""

from __future__ import annotations

import json
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.servers import started

SESSIONS = 20_000
STOP_SECONDS = 2.0
GROWTH_MB = 20.0
"""More memory than this between the first quarter and the end is a leak: 1.3 KB for each of 15,000 sessions."""

VERSION = "2025-06-18"
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
CLIENT = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}}
ANSWER = {"name": "submit_severity", "arguments": {"severity": "P2"}}
SHARED = "soak-shared"


class Soak:
    """Opens and ends sessions, and notes what was refused."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
        self.refused: list[str] = []
        self._shared = self._reset(SHARED)

    def run(self, number: int) -> None:
        """Open a session and end it."""
        handle = SHARED if number % 8 < 5 else f"soak-{number}"
        path = self._shared if handle == SHARED else self._reset(handle)
        session = {"Mcp-Session-Id": self._open(path), "MCP-Protocol-Version": VERSION}
        match number % 8:
            case 5:
                self._close(handle)
                self._ask("DELETE", path, session)
            case 6:
                self._answer(path, session)
                self._close(handle)
            case 7:
                self._answer(path, session)  # and nobody says goodbye
            case _:
                self._ask("DELETE", path, session)

    def _reset(self, handle: str) -> str:
        """Open an episode; the path of its endpoint for an agent."""
        _, answer = self._ask("POST", "/reset", {}, {"episode_id": handle})
        url: str = json.loads(answer)["info"]["agent_url"]
        return urlsplit(url).path

    def _close(self, handle: str) -> None:
        self._ask("POST", "/close", {}, {"episode_id": handle})

    def _open(self, path: str) -> str:
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": CLIENT}
        headers, _ = self._ask("POST", path, {}, message)
        return headers.get("mcp-session-id", "none")

    def _answer(self, path: str, session: dict[str, str]) -> None:
        self._ask("POST", path, session, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": ANSWER})

    def _ask(
        self, method: str, path: str, headers: dict[str, str], message: Any = None
    ) -> tuple[dict[str, str], bytes]:
        """The headers of the answer, in small letters, and its body."""
        body = None if message is None else json.dumps(message)
        self._connection.request(method, path, body, {**HEADERS, **headers})
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status not in {200, 204}:
            self.refused.append(f"{method} {path}: {answer.status}")
        return {name.lower(): value for name, value in answer.getheaders()}, content


def read_memory(pid: int) -> float:
    """The memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    """Run the soak and print what it showed; exit with 1 if it showed a fault."""
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS
    memory = []
    with started("serve") as (address, process):
        began = time.monotonic()
        soak = Soak(address)
        for number in range(1, sessions + 1):
            soak.run(number)
            if number * 4 % sessions < 4:
                memory.append(read_memory(process.pid))
        took = time.monotonic() - began
        process.terminate()
        began = time.monotonic()
        process.wait(120)
        stopped = time.monotonic() - began
    refused = soak.refused
    print(f"{sessions} sessions in {took:.0f} s ({sessions / took:.0f} a second), {len(refused)} refused {refused[:3]}")
    print(f"memory after each quarter: {', '.join(f'{size:.0f}' for size in memory)} MB; stopped in {stopped:.2f} s")
    if refused or memory[-1] - memory[0] > GROWTH_MB or stopped > STOP_SECONDS:
        sys.exit(1)


if __name__ == "__main__":
    main()
