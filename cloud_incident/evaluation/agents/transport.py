"""How a model is reached: at which address, with what headers, and how much of its answer is read."""

from __future__ import annotations

import ipaddress
import socket
import zlib
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx2

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.reach import Reach

MOST_ANSWER_BYTES = 4 << 20
"""Bytes of an answer at most, unpacked. The longest that a model is asked for has some ten thousand."""

_SENT = ("accept", "content-type", "content-length", "host", "transfer-encoding")
"""Headers of the client library that are sent. Others come from the variables of this process, or describe it."""


class AddressRefusedError(httpx2.ConnectError):
    """Every address of a host is one that may not be called."""


class TooLargeAnswerError(httpx2.ReadError):
    """An answer that is larger than any that was asked for, or that is packed in a way that was not."""


class ModelTransport(httpx2.AsyncBaseTransport):
    """Sends requests to a model. Answers are read whole, and no further than the largest that may be.

    With a `reach`, addresses are looked up here and the one that was checked is called, so that a name cannot mean
    another one a moment later. Proxies of the environment are then left out. A redirect is an answer like any other.

    Raises:
        InvalidURL: if the base URL is none.
    """

    def __init__(self, base_url: str, api_key: str, reach: Reach | None = None) -> None:
        self._authorization = f"Bearer {api_key or 'none'}"
        self._reach = reach
        address = httpx2.URL(base_url)
        proxy = None if reach is not None else _find_proxy(address)
        self._inner = httpx2.AsyncHTTPTransport(proxy=proxy)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        refused: httpx2.ConnectError | None = None
        for url in await self._list_urls(request.url):
            try:
                return await self._ask(request, url)
            except httpx2.ConnectError as error:
                refused = error
        raise refused or httpx2.ConnectError("no address")

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _list_urls(self, url: httpx2.URL) -> list[httpx2.URL]:
        """What to call: the address itself, or with a `reach` its host's addresses that may be called."""
        reach = self._reach
        if reach is None or reach.names(url.host):
            return [url]
        try:
            found = await anyio.getaddrinfo(url.host, url.port or 0, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpx2.ConnectError("the name is not known") from error
        known = dict.fromkeys(ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found)
        allowed = [url.copy_with(host=str(address)) for address in known if reach.holds(address)]
        if not allowed:
            raise AddressRefusedError(
                "this server asks no models on private networks; its operator may allow one with --allow-model-host"
            )
        return allowed

    async def _ask(self, request: httpx2.Request, url: httpx2.URL) -> httpx2.Response:
        headers = {name: request.headers[name] for name in _SENT if name in request.headers}
        sent = httpx2.Request(
            request.method,
            url,
            headers={**headers, "accept-encoding": "gzip, deflate", "authorization": self._authorization},
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        response = await self._inner.handle_async_request(sent)
        try:
            content = await _read_bounded(response)
        finally:
            await response.aclose()
        kept = {"content-type", "retry-after"}
        return httpx2.Response(
            response.status_code,
            headers=[(name, value) for name, value in response.headers.items() if name in kept],
            content=content,
            request=request,
        )


def _find_proxy(url: httpx2.URL) -> str | None:
    """The proxy that the environment names for an address."""
    proxies = getproxies()
    return None if proxy_bypass(url.host) else proxies.get(url.scheme) or proxies.get("all")


async def _read_bounded(response: httpx2.Response) -> bytes:
    content = bytearray()
    packing = response.headers.get("content-encoding", "identity").strip().casefold()
    if packing not in {"", "identity", "gzip", "deflate"}:
        raise TooLargeAnswerError("the answer is packed in a way that was not asked for")
    unpacker = None if packing in {"", "identity"} else zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
    async for part in response.aiter_raw():
        rest = part
        while rest:
            room = MOST_ANSWER_BYTES + 1 - len(content)
            if unpacker is None:
                content += rest[:room]
                rest = b""
            else:
                try:
                    content += unpacker.decompress(rest, room)
                except zlib.error as error:
                    raise TooLargeAnswerError("the answer cannot be unpacked") from error
                rest = unpacker.unconsumed_tail
            if len(content) > MOST_ANSWER_BYTES:
                raise TooLargeAnswerError(f"the answer is larger than {MOST_ANSWER_BYTES >> 20} MB")
    return bytes(content)
