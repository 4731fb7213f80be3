"""Clients that speak no more of HTTP than they have to, as an attacker does."""

from __future__ import annotations

import base64
import os
import re
import socket
from contextlib import ExitStack, closing, suppress
from typing import Self
from urllib.parse import urlsplit

MCP = "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"


class Raw:
    """Sockets to one server, which are open until the block ends."""

    def __init__(self, address: str) -> None:
        self._port = urlsplit(address).port
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def connect(self) -> socket.socket:
        return self._open.enter_context(closing(socket.create_connection(("127.0.0.1", self._port), timeout=20)))

    def send(self, data: bytes) -> socket.socket:
        """A connection on which something was sent, as much of it as the server took."""
        connection = self.connect()
        with suppress(OSError):
            connection.sendall(data)
        return connection

    def upgrade(self, path: str = "/ws", headers: str = "") -> socket.socket:
        """A connection after the handshake of a WebSocket."""
        key = base64.b64encode(os.urandom(16)).decode()
        connection = self.send(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n".encode()
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 101")
        return connection


def read_all(connection: socket.socket) -> bytes:
    """What a server sends until it hangs up."""
    parts = []
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def read_until(connection: socket.socket, wanted: bytes) -> bytes:
    """What a server sends up to something that is wanted, and whatever came with it."""
    answer = b""
    while wanted not in answer:
        part = connection.recv(65536)
        assert part, answer
        answer += part
    return answer


def read_status(connection: socket.socket) -> int:
    """The status of an answer, which is read to the end that it says it has; 0 if the server hung up without one."""
    answer = b""
    with suppress(ConnectionError):
        while _lacks_rest(answer) and (part := connection.recv(65536)):
            answer += part
    return int(answer[9:12]) if answer else 0


def _lacks_rest(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return not end or (length is not None and len(body) < int(length[1]))


def write_request(method: str, path: str, headers: str = "", body: bytes = b"", length: int | None = None) -> bytes:
    """A request whose body may be shorter than it says."""
    said = len(body) if length is None else length
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {said}\r\n\r\n".encode() + body


def write_frame(opcode: int, payload: bytes = b"", *, final: bool = True) -> bytes:
    """A frame of a WebSocket as a client sends it, masked with nothing."""
    size = len(payload)
    length = (
        bytes([0x80 + size])
        if size < 126
        else b"\xfe" + size.to_bytes(2)
        if size < 65536
        else b"\xff" + size.to_bytes(8)
    )
    return bytes([0x80 * final + opcode]) + length + bytes(4) + payload
