"""Behind proxies: slashes at the end of paths, path prefixes, and which forwarded headers count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from cloud_incident.settings.serve import ServeSettings
from cloud_incident.settings.sources import InvalidSettingsError
from tests.cloud_incident.bounds.raw import Raw, read_all
from tests.http_compat.talking import open_for_agent, open_talk, read_answer
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "any", "version": "1"}},
}
PREFIX = {"X-Forwarded-Prefix": "/incidents"}
TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}


@pytest.fixture(scope="module")
def prefixed() -> Iterator[str]:
    with full_server("--root-path", "/incidents/") as address:
        yield address


@pytest.fixture(scope="module")
def untrusting() -> Iterator[str]:
    with full_server("--forwarded-allow-ips", "203.0.113.1") as address:
        yield address


def test_mcp_is_served_with_a_slash_at_its_end(api: httpx2.Client) -> None:
    for path in ("/mcp/", "/mcp//", f"{open_for_agent(api)}/"):
        answer = read_answer(api.post(path, json=INITIALIZE, headers=TLS))
        assert answer["result"]["serverInfo"]["name"] == "cloud-incident"


@pytest.mark.parametrize("path", ["/health", "/metadata", "/schema", "/tasks", "/openapi.json", "/docs"])
def test_every_route_is_served_with_a_slash_at_its_end(api: httpx2.Client, path: str) -> None:
    plain, slashed = api.get(path), api.get(f"{path}/")
    assert (slashed.status_code, slashed.content) == (200, plain.content)


def test_sse_and_websockets_are_served_with_a_slash_at_their_end(api: httpx2.Client, address: str) -> None:
    with api.stream("GET", "/sse/", headers=TLS) as stream:
        assert re.fullmatch(r"/messages/\?session_id=\w+", read_endpoint(stream))
    for path in ("/messages", "/messages/"):
        assert api.post(f"{path}?session_id={'0' * 32}", json=INITIALIZE).status_code == 404
    with open_talk(address, "/ws/") as talk:
        assert talk.reset()["observation"]["step_count"] == 0


def test_browsers_are_redirected_to_pages_because_their_links_are_relative(api: httpx2.Client) -> None:
    page = api.get("/docs/", headers={"Accept": "text/html,*/*;q=0.8", **TLS})
    assert (page.status_code, page.headers["Location"]) == (307, "/docs")


@pytest.mark.parametrize("path", ["//evil.example/", "/%2Fevil.example/", "///evil.example//", "/%5Cevil.example/"])
def test_no_path_redirects_a_browser_to_another_host(address: str, path: str) -> None:
    with Raw(address) as raw:  # a client would read another host out of such an address
        answer = read_all(
            raw.send(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode()
            )
        )
    location = re.search(rb"(?i)\r\nlocation: *(.*)\r\n", answer)
    assert location is None or re.match(rb"/[^/\\]", location[1]), location


@pytest.mark.parametrize("path", ["/web", "/web/"])
def test_where_openenvs_pages_send_people(api: httpx2.Client, prefixed: str, path: str) -> None:
    assert api.get(path).headers["Location"] == "/"
    assert httpx2.get(f"{prefixed}{path}").headers["Location"] == "/incidents/"
    found = api.get(path, follow_redirects=True, headers={"Accept": "text/html"})
    assert "<title>" in found.text


def read_endpoint(stream: httpx2.Response) -> str:
    """The path for messages in the first event of a stream."""
    for line in stream.iter_lines():
        if line.startswith("data: "):
            return line.removeprefix("data: ")
    raise AssertionError("the stream has ended")


def look_around(address: str, headers: dict[str, str], path: str = "") -> dict[str, Any]:
    """Every place where a server says where it is."""
    with httpx2.Client(base_url=f"{address}{path}", headers=headers) as api:
        started = api.post("/reset", json={})
        with api.stream("GET", "/sse") as stream:
            endpoint = read_endpoint(stream)
        return {
            "events": endpoint.partition("?")[0],
            "servers": read_answer(api.get("/openapi.json")).get("servers"),
            "links": read_answer(api.get("/metadata"))["links"]["mcp"],
            "cookie": re.findall(r"Path=([^;]+)", started.headers["Set-Cookie"]),
            "redirect": api.get("/docs/", headers={"Accept": "text/html"}).headers["Location"],
            "page": api.get("/").status_code,
            "script": api.get("/console/page/main.js").status_code,
        }


AT_ROOT = {
    "events": "/messages/",
    "servers": None,
    "links": "/mcp",
    "cookie": ["/"],
    "redirect": "/docs",
    "page": 200,
    "script": 200,
}
UNDER_PREFIX = {
    "events": "/incidents/messages/",
    "servers": [{"url": "/incidents"}],
    "links": "/incidents/mcp",
    "cookie": ["/incidents"],
    "redirect": "/incidents/docs",
    "page": 200,
    "script": 200,
}


def test_a_prefix_that_a_proxy_takes_off_is_in_every_path_that_the_server_names(address: str, prefixed: str) -> None:
    assert look_around(address, {}) == AT_ROOT
    assert look_around(address, PREFIX) == UNDER_PREFIX
    assert look_around(prefixed, {}) == UNDER_PREFIX


def test_a_prefix_may_stay_on_the_path(prefixed: str) -> None:
    assert look_around(prefixed, {}, "/incidents") == UNDER_PREFIX
    with open_talk(prefixed, "/incidents/ws") as talk:
        assert talk.reset()["observation"]["step_count"] == 0


def test_a_prefix_called_like_a_path_of_the_server_is_taken_off_by_the_proxy(address: str) -> None:
    headers = {"X-Forwarded-Prefix": "/mcp"}
    assert "result" in read_answer(httpx2.post(f"{address}/mcp", json=INITIALIZE, headers=headers))
    assert read_answer(httpx2.get(f"{address}/metadata", headers=headers))["links"]["mcp"] == "/mcp/mcp"


@pytest.mark.parametrize(
    "prefix",
    ["//evil.example", "/a//b", "https://evil.example", "/a b", "/../a", "/a\\b", "/" + "a" * 300, "a", "/%2e"],
)
def test_a_prefix_that_is_none_does_not_count(address: str, prefix: str) -> None:
    answer = httpx2.get(f"{address}/metadata", headers={"X-Forwarded-Prefix": prefix})
    assert read_answer(answer)["links"]["mcp"] == "/mcp"


def test_prefixes_of_several_proxies_stand_one_after_the_other(address: str) -> None:
    answer = httpx2.get(f"{address}/metadata", headers={"X-Forwarded-Prefix": "/outer, /inner/"})
    assert read_answer(answer)["links"]["mcp"] == "/outer/inner/mcp"


def test_headers_of_proxies_that_were_not_named_do_not_count(untrusting: str) -> None:
    assert look_around(untrusting, {**PREFIX, **TLS}) == AT_ROOT


def test_a_forwarded_host_never_stands_in_for_the_host() -> None:
    """A page of another site can send any header to a server on this machine once its own name points there."""
    forged = {"Host": "evil.example", "X-Forwarded-Host": "localhost", "Origin": "http://evil.example"}
    with full_server() as address:
        assert httpx2.post(f"{address}/reset", headers=forged).status_code == 421
        page = {"X-Forwarded-Host": "evil.example", "Origin": "http://evil.example"}
        assert httpx2.post(f"{address}/reset", headers=page).status_code == 403
    public = {"X-Forwarded-Host": "incidents.example", "Origin": "https://incidents.example", **TLS}
    with full_server("--allow-host", "incidents.example") as address:
        assert httpx2.post(f"{address}/reset", headers=public).status_code == 200
    with full_server("--allow-host", "*") as address:
        assert httpx2.post(f"{address}/reset", headers=public).status_code == 200
        assert httpx2.post(f"{address}/reset", headers={"Origin": "https://incidents.example"}).status_code == 403


@pytest.mark.parametrize("prefix", ["incidents", "//incidents", "/a b", "/../a", "https://incidents.example"])
def test_a_root_path_that_is_none_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidSettingsError, match="a path prefix is expected, such as /incidents"):
        ServeSettings.load(root_path=prefix)
