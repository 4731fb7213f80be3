"""Playing on a server that asks for tokens: the token is sent to that server, and stands nowhere else."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cloud_incident.app import build_app
from cloud_incident.cli import main
from cloud_incident.evaluation.running import Baseline
from cloud_incident.evaluation.running.remote import SURFACES
from cloud_incident.listening import make_server
from cloud_incident.settings.mcp import McpSettings
from env_core.selection import Selection
from tests.cloud_incident.tokens.holding import WRONG, Tokens, guarded_server
from tests.servers import on_a_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

VARIABLE = "CLOUD_INCIDENT_TOKEN"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens.write(tmp_path_factory.mktemp("tokens") / "tokens.txt")


@pytest.fixture(scope="module")
def address(tokens: Tokens) -> Iterator[str]:
    with guarded_server(tokens) as address:
        yield address


def evaluate(address: str, out: Path, *arguments: str, token: str = "") -> Result:
    chosen = ["--agent", "oracle", "--scenario", "AC-001", "--url", address, "--out", str(out), *arguments]
    return CliRunner().invoke(main, ["evaluate", *chosen], env={VARIABLE: token})


@pytest.mark.parametrize("surface", SURFACES)
def test_a_token_in_the_environment_lets_episodes_be_played(
    address: str, tokens: Tokens, tmp_path: Path, surface: str
) -> None:
    out, page, token = tmp_path / "out.jsonl", tmp_path / "page.html", tokens.alice["operate"]
    result = evaluate(address, out, "--surface", surface, "--report", str(page), token=token)
    assert result.exit_code == 0, result.output
    (played,) = map(json.loads, out.read_text("utf-8").splitlines())
    assert played["score"] == 1.0
    for told in (result.output, out.read_text("utf-8"), page.read_text("utf-8")):
        assert token not in told


def test_a_token_may_stand_in_a_file(address: str, tokens: Tokens, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{tokens.alice['operate']}\n", "utf-8")
    result = evaluate(address, tmp_path / "out.jsonl", "--token-file", str(file), token=WRONG)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("kind", ["none", "wrong", "expired", "play"])
def test_nothing_is_played_with_a_token_that_does_not_do(
    address: str, tokens: Tokens, tmp_path: Path, surface: str, kind: str
) -> None:
    sent = {"none": "", "wrong": WRONG, "expired": tokens.expired, "play": tokens.alice["play"]}[kind]
    result = evaluate(address, tmp_path / "out.jsonl", "--surface", surface, token=sent)
    assert result.exit_code == 1, result.output
    assert "Nothing was played." in result.output
    assert not sent or sent not in result.output
    assert "--token-file or CLOUD_INCIDENT_TOKEN" in result.output


def test_a_server_that_has_mcp_alone_asks_for_tokens_too(tokens: Tokens, tmp_path: Path) -> None:
    settings = McpSettings.load(tokens=tokens.file, transport="streamable-http")
    with on_a_thread(make_server(build_app(settings), settings)) as address:
        for scope, status in (("operate", 0), ("play", 1), ("", 1)):
            token = tokens.alice[scope] if scope else ""
            result = evaluate(address, tmp_path / f"{scope}.jsonl", "--surface", "mcp", token=token)
            assert result.exit_code == status, result.output


@pytest.mark.parametrize("token", ["two words", "cit_é", "cit_a\r\nX-Other: 1"])
def test_what_is_no_token_is_refused_and_not_repeated(address: str, tmp_path: Path, token: str) -> None:
    result = evaluate(address, tmp_path / "out.jsonl", token=token)
    assert result.exit_code != 0
    assert f"token (from the variable {VARIABLE}): A token is one word" in result.output
    assert token not in result.output


@contextmanager
def answering(status: int, location: str = "") -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that answers everything alike; its address, and the headers that it was sent."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            if location:
                self.send_header("Location", f"{location}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that the class asks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.anyio
@pytest.mark.parametrize("surface", SURFACES)
async def test_a_token_does_not_follow_a_redirect_to_another_host(surface: str) -> None:
    with answering(404) as (elsewhere, strangers), answering(307, elsewhere) as (named, seen):
        environment = SURFACES[surface](named, "cit_secret")
        with pytest.raises(Exception):  # noqa: B017, PT011 - each client has its own
            await environment.reset(Selection(scenario_id="AC-001"))
        with pytest.raises(Exception):  # noqa: B017, PT011 - each client has its own
            await environment.ask_version()
        await environment.close()
    assert seen[0]["authorization"] == "Bearer cit_secret"
    assert not any("cit_secret" in value for headers in strangers for value in headers.values())


def test_the_baseline_has_it_too(tokens: Tokens) -> None:
    baseline = Baseline.from_variables({VARIABLE: f" {tokens.alice['operate']}\n", "ENV_URL": "http://127.0.0.1:1/"})
    assert baseline.token == tokens.alice["operate"]
    assert baseline.token not in repr(baseline)
