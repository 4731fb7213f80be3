"""A proxy in front of a server on this machine that cuts connections where it is told to."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from anyio.abc import SocketAttribute

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import ByteStream


class CuttingProxy:
    """Passes everything on to a port, but cuts the connection of one script.

    `cut_before`: so many scripts are passed on, and the next one is not. `cut_after`: so many answers of scripts are
    passed back, and the next one is not. None: nothing is cut. `cuts` counts. Answers come `delay` seconds late.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.address = ""
        self.cut_before: int | None = None
        self.cut_after: int | None = None
        self.cuts = 0
        self.delay = 0.0

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Pass on at `address` meanwhile."""
        async with (
            await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
            anyio.create_task_group() as tasks,
        ):
            port = next(iter(listener.listeners)).extra(SocketAttribute.local_port)  # noqa: S610 - not Django's
            self.address = f"redis://127.0.0.1:{port}/0"
            tasks.start_soon(listener.serve, self._serve)
            yield
            tasks.cancel_scope.cancel()

    async def _serve(self, caller: ByteStream) -> None:
        async with caller, await anyio.connect_tcp("127.0.0.1", self._port) as server:
            try:
                while True:
                    asked = await caller.receive()
                    script = asked.split(b"\r\n", 3)[2].startswith(b"EVAL")
                    if script and self._is_due("cut_before"):
                        return
                    await server.send(asked)
                    answer = await server.receive()
                    await anyio.sleep(self.delay)
                    if script and not answer.startswith(b"-NOSCRIPT") and self._is_due("cut_after"):
                        return
                    await caller.send(answer)
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return

    def _is_due(self, name: str) -> bool:
        left: int | None = getattr(self, name)
        if left is None:
            return False
        setattr(self, name, left - 1 if left else None)
        self.cuts += not left
        return not left
