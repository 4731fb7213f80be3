"""A load balancer without any stickiness: each connection, or each request, goes to the next server.

`python -m tests.round_robin connections|requests PORT SERVER_PORT…` balances until it is stopped.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = "127.0.0.1"
_CHUNK = 65536
_MOST_HEAD = 1 << 20


@dataclass
class Balancer:
    """Passes clients on to servers on this machine. `by_request`: each request of a connection goes to the next one.

    Answers have to say how long they are; a connection that is upgraded stays with the server that upgraded it.
    """

    servers: list[int]
    by_request: bool
    _turns: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self._turns = cycle(self.servers)

    async def serve(self, port: int) -> None:
        """Balance until cancelled."""
        server = await asyncio.start_server(self._serve_client, _HOST, port, backlog=2048, limit=_MOST_HEAD)
        async with server:
            await server.serve_forever()

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                if self.by_request:
                    await self._balance_requests(reader, writer)
                else:
                    there, back = await self._connect()
                    await _pipe_both(reader, writer, there, back)
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(_HOST, next(self._turns), limit=_MOST_HEAD)

    async def _balance_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head, body = await _read_message(reader)
            there, back = await self._connect()
            try:
                back.write(head + body)
                if b"\r\nupgrade:" in head.lower():
                    await _pipe_both(reader, writer, there, back)
                    return
                writer.write(b"".join(await _read_message(there)))
                await writer.drain()
            finally:
                back.close()


async def _read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the body of a request or an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    if any(line.startswith(b"transfer-encoding:") for line in lines):
        raise ConnectionError("a message of unknown length")
    length = next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), 0)
    return head, await reader.readexactly(length)


async def _pipe_both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    there: asyncio.StreamReader,
    back: asyncio.StreamWriter,
) -> None:
    """Pass on bytes in both directions until one side hangs up."""
    tasks = [asyncio.ensure_future(_pipe(reader, back)), asyncio.ensure_future(_pipe(there, writer))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        back.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()


def main() -> None:
    """Balance as the command line says."""
    kind, port, *servers = sys.argv[1:]
    import uvloop

    uvloop.run(Balancer([int(server) for server in servers], kind == "requests").serve(int(port)))


if __name__ == "__main__":
    main()
