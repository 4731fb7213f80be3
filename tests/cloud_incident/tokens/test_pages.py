"""Pages: how they sign in, which of them may call, what they may send, and the headers of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from cloud_incident.tokens.finding import COOKIE
from env_core.callers import OPERATE, PLAY
from tests.cloud_incident.tokens.holding import WRONG, Tokens, bearer, guarded_server
from tests.http_compat.talking import QUERY, open_talk, read_answer
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

TLS = {"X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens.write(tmp_path_factory.mktemp("tokens") / "tokens")


@pytest.fixture(scope="module")
def address(tokens: Tokens) -> Iterator[str]:
    with guarded_server(tokens) as address:
        yield address


@pytest.fixture(scope="module")
def open_address() -> Iterator[str]:
    """A server that asks for no tokens."""
    with full_server() as address:
        yield address


@pytest.fixture
def page(address: str, tokens: Tokens) -> Iterator[httpx2.Client]:
    """A page of the server that has signed in."""
    with httpx2.Client(base_url=address, headers={"Origin": address}) as client:
        read_answer(client.post("/console/session", json={"token": tokens.alice[OPERATE]}))
        yield client


def test_a_page_signs_in_and_out(address: str, tokens: Tokens) -> None:
    with httpx2.Client(base_url=address, headers={"Origin": address}) as page:
        assert page.get("/login").status_code == 200
        assert read_answer(page.get("/console/session")) == {"name": "", "scopes": [], "tokens": True}
        for token in (WRONG, "", tokens.expired):
            refused = page.post("/console/session", json={"token": token})
            read_answer(refused, 401)
            assert "Set-Cookie" not in refused.headers
        told = page.post("/console/session", json={"token": f" {tokens.alice[OPERATE]}\n"})
        assert read_answer(told) == {"name": "alice", "scopes": [OPERATE, PLAY], "tokens": True}
        cookie = told.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/" in cookie
        assert "Secure" not in cookie
        assert "max-age" not in cookie.lower()
        assert read_answer(page.post("/reset", json={}))["done"] is False
        assert read_answer(page.get("/console/session"))["name"] == "alice"
        read_answer(page.request("DELETE", "/console/session"))
        read_answer(page.get("/tasks"), 401)


def test_cookies_are_secure_where_tls_is(address: str, tokens: Tokens) -> None:
    signed = httpx2.post(f"{address}/console/session", json={"token": tokens.alice[OPERATE]}, headers=TLS)
    opened = httpx2.post(f"{address}/reset", json={}, headers={**TLS, **bearer(tokens.alice[OPERATE])})
    assert "Secure" in signed.headers["Set-Cookie"]
    assert "Secure" in opened.headers["Set-Cookie"]


def test_what_was_wrong_with_a_token_is_told_without_it(address: str) -> None:
    for sent in ("cit_" + "x" * 300, 12345, ["cit_secret"], {"cit_secret": 1}):
        answer = httpx2.post(f"{address}/console/session", json={"token": sent})
        assert answer.status_code in {401, 422}
        assert "cit_" not in answer.text


def test_the_cookie_counts_for_pages_of_the_server_alone(page: httpx2.Client, address: str) -> None:
    kept = {"Cookie": f"{COOKIE}={page.cookies[COOKIE]}"}
    read_answer(httpx2.get(f"{address}/tasks", headers=kept))
    for site in ("same-site", "cross-site"):  # a page of another port, and of another host
        read_answer(httpx2.get(f"{address}/tasks", headers={**kept, "Sec-Fetch-Site": site}), 401)
    read_answer(httpx2.post(f"{address}/reset", json={}, headers=kept), 401)  # a browser would send an Origin
    foreign = {**kept, "Origin": "http://127.0.0.1:1"}
    read_answer(httpx2.post(f"{address}/reset", json={}, headers=foreign), 403)
    with pytest.raises(InvalidStatus), open_talk(address, additional_headers=kept):
        pass
    with open_talk(address, additional_headers=kept, origin=address) as talk:
        talk.reset()
    wrong = {**kept, **bearer(WRONG)}
    read_answer(httpx2.get(f"{address}/tasks", headers=wrong), 401)  # a wrong header is not made up for


def test_a_server_without_tokens_has_no_sign_in(open_address: str) -> None:
    assert httpx2.get(f"{open_address}/login").status_code == 404
    told = read_answer(httpx2.get(f"{open_address}/console/session"))
    assert (told["name"], told["tokens"]) == ("", False)
    assert httpx2.get(f"{open_address}/.well-known/oauth-protected-resource").status_code == 404


@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "http://localhost:3000", "null", "https://evil.example"])
def test_pages_of_other_ports_can_do_nothing(open_address: str, origin: str) -> None:
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    for path, body in (
        ("/reset", b"{}"),
        ("/step", b"{}"),
        ("/console/runs", b'{"agent": "oracle", "scenario_id": "AC-001"}'),
        ("/mcp", b'{"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create"}'),
    ):
        read_answer(httpx2.post(f"{open_address}{path}", content=body, headers=headers), 403)
    with pytest.raises(InvalidStatus), open_talk(open_address, origin=origin):
        pass


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_own_pages_send_json_and_programs_what_they_like(open_address: str, media: str | None) -> None:
    headers = {"Content-Type": media} if media else {}
    answer = httpx2.post(f"{open_address}/reset", content=b"{}", headers={"Origin": open_address, **headers})
    assert "Content-Type: application/json" in read_answer(answer, 415)["detail"]
    read_answer(httpx2.post(f"{open_address}/reset", content=b"{}", headers=headers))
    read_answer(httpx2.post(f"{open_address}/reset", headers={"Origin": open_address}))  # there is nothing to be read
    json = {"Origin": open_address, "Content-Type": "application/json; charset=utf-8"}
    read_answer(httpx2.post(f"{open_address}/reset", content=b"{}", headers=json))


@pytest.mark.parametrize(
    ("method", "path", "lasting"),
    [
        ("GET", "/", False), ("GET", "/docs", True), ("GET", "/health", False), ("GET", "/state", False),
        ("POST", "/reset", False), ("POST", "/step", False), ("GET", "/nowhere", False), ("PUT", "/step", False),
        ("GET", "/static/swagger-ui/swagger-ui.css", True), ("GET", "/console/page/main.js", True),
        ("POST", "/mcp", False), ("GET", "/agent/any/mcp", False),
    ],
)  # fmt: skip
def test_every_answer_tells_the_browser_what_it_may_do(
    open_address: str, method: str, path: str, lasting: bool
) -> None:
    body = QUERY if path == "/step" else {} if method == "POST" else None
    for headers in ({}, TLS):
        answer = httpx2.request(method, f"{open_address}{path}", json=body, headers=headers)
        assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]
        assert answer.headers.get_list("Referrer-Policy") == ["no-referrer"]
        kept = answer.headers.get("Cache-Control")
        assert kept == ("no-cache" if path == "/" else None if lasting else "no-store")
        assert ("Strict-Transport-Security" in answer.headers) is bool(headers)


def test_refusals_have_the_headers_too(address: str, open_address: str) -> None:
    refused = [
        httpx2.get(f"{address}/state"),
        httpx2.get(f"{open_address}/state", headers={"Host": "evil.example"}),
        httpx2.post(f"{open_address}/reset", headers={"Origin": "https://evil.example"}),
    ]
    assert [answer.status_code for answer in refused] == [401, 421, 403]
    assert {answer.headers["X-Content-Type-Options"] for answer in refused} == {"nosniff"}
    assert {answer.headers["Cache-Control"] for answer in refused} == {"no-store"}


def test_the_page_that_takes_tokens_is_closed(address: str) -> None:
    policy = httpx2.get(f"{address}/login").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
