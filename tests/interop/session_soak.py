"""Agents' sessions, opened and ended one after the other on one server: none refused, memory flat, a stop at once.

Run by `scripts/session-soak [SESSIONS]`. Each session is ended in one of three ways, in turn: its client ends it, its
episode is closed, or its episode comes to its end. Some clients never say goodbye at all.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from tests.servers import started

SESSIONS = 20_000
AT_ONCE = 4
STOP_SECONDS = 2.0
GROWTH_MB = 20.0
"""More memory than this between the first quarter and the end is a leak: 1 KB for each of 20,000 sessions."""

VERSION = "2025-06-18"
HEADERS = {"Accept": "application/json, text/event-stream"}
CLIENT = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}}
ANSWER = {"name": "submit_severity", "arguments": {"severity": "P2"}}


class Soak:
    """Opens and ends sessions, and counts what was refused."""

    def __init__(self, api: httpx2.AsyncClient) -> None:
        self._api = api
        self.refused: list[str] = []

    async def run(self, number: int) -> None:
        """Open a session of an episode of its own, and end it."""
        handle = f"soak-{number}"
        path = f"/agent/{handle}/mcp"
        await self._expect(self._api.post("/reset", json={"episode_id": handle}))
        opened = await self._expect(self._post(path, "initialize", CLIENT))
        session = {"Mcp-Session-Id": opened.headers.get("Mcp-Session-Id", ""), "MCP-Protocol-Version": VERSION}
        match number % 4:
            case 0:
                await self._expect(self._api.delete(path, headers=session))
                await self._close(handle)
            case 1:
                await self._close(handle)
                await self._expect(self._api.delete(path, headers=session))
            case 2:
                await self._expect(self._post(path, "tools/call", ANSWER, session))
                await self._close(handle)
            case _:
                await self._expect(self._post(path, "tools/call", ANSWER, session))  # and nobody says goodbye

    async def _close(self, handle: str) -> None:
        await self._expect(self._api.post("/close", json={"episode_id": handle}))

    async def _post(
        self, path: str, method: str, params: dict[str, Any], headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return await self._api.post(path, json=message, headers=headers)

    async def _expect(self, answer: Any) -> httpx2.Response:
        answered: httpx2.Response = await answer
        if answered.status_code not in {200, 204}:
            self.refused.append(f"{answered.request.method} {answered.request.url.path}: {answered.status_code}")
        return answered


async def soak(address: str, pid: int, sessions: int) -> tuple[list[str], list[float]]:
    """What was refused, and the server's memory in MB after each quarter of the sessions."""
    memory = []
    async with httpx2.AsyncClient(base_url=address, headers=HEADERS, timeout=60, cookies=None) as api:
        soak = Soak(api)
        numbers = iter(range(sessions))
        for quarter in range(1, 5):

            async def work(last: int = sessions * quarter // 4) -> None:
                for number in numbers:
                    await soak.run(number)
                    if number >= last - AT_ONCE:
                        return

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))
            memory.append(read_memory(pid))
    return soak.refused, memory


def read_memory(pid: int) -> float:
    """The memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    """Run the soak and print what it showed; exit with 1 if it showed a fault."""
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS
    with started("serve") as (address, process):
        began = time.monotonic()
        refused, memory = asyncio.run(soak(address, process.pid, sessions))
        took = time.monotonic() - began
        process.terminate()
        stopping = time.monotonic()
        process.wait(120)
        stopped = time.monotonic() - stopping
    print(f"{sessions} sessions in {took:.0f} s ({sessions / took:.0f} a second), {len(refused)} refused {refused[:3]}")
    print(f"memory after each quarter: {', '.join(f'{size:.0f}' for size in memory)} MB; stopped in {stopped:.2f} s")
    if refused or memory[-1] - memory[0] > GROWTH_MB or stopped > STOP_SECONDS:
        sys.exit(1)


if __name__ == "__main__":
    main()
