"""The file of tokens: what it may hold, how it is changed, and that it never tells a token."""

from __future__ import annotations

import logging
import os
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2
import pytest
from click.testing import CliRunner
from websockets.exceptions import ConnectionClosedError

from cloud_incident.app import build_app
from cloud_incident.cli.tokens import tokens as command
from cloud_incident.settings.serve import ServeSettings
from cloud_incident.tokens.entry import PREFIX, TokenFileError, hash_token, make_token, read_entries, write_entries
from cloud_incident.tokens.table import TokenTable
from env_core.callers import OPERATE, SCOPES
from tests.cloud_incident.tokens.holding import Tokens, bearer, guarded_server
from tests.http_compat.talking import open_talk
from tests.servers import started

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "0" * 64


def run(*arguments: str, status: int = 0) -> tuple[str, str]:
    """What `cloud-incident tokens` says on standard output and on standard error."""
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == status, result.output
    return result.stdout, result.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "of tokens" / "tokens.txt"


def test_a_token_is_told_once_and_the_file_has_its_hash(file: Path) -> None:
    out, err = run("add", "alice", "--scope", "play", "--expires", "2099-12-31", "--tokens", str(file))
    token = out.strip()
    assert token.startswith(PREFIX)
    assert len(token) >= 43
    assert token not in err
    assert token not in file.read_text("utf-8")
    assert hash_token(token).hex() in file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    listed, _ = run("list", "--tokens", str(file))
    assert listed == f"{hash_token(token).hex()[:12]}  alice  play  until 2099-12-31T00:00:00Z\n"


def test_tokens_are_removed_by_id_and_by_name(file: Path) -> None:
    for name in ("alice", "alice", "bob"):
        run("add", name, "--tokens", str(file))
    first, second, third = (line.split()[0] for line in run("list", "--tokens", str(file))[0].splitlines())
    run("remove", first, "--tokens", str(file))
    assert [entry.id for entry in read_entries(file.read_text("utf-8"))] == [second, third]
    assert "carol" in run("remove", "alice", "carol", "--tokens", str(file), status=1)[1]
    run("remove", "alice", "--tokens", str(file))
    assert [entry.name for entry in read_entries(file.read_text("utf-8"))] == ["bob"]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("name", ["Alice", "", "-a", "a.b", "a b", "a" * 33, "ä", "../a"])
def test_names_that_are_none_are_refused(file: Path, name: str) -> None:
    run("add", "--tokens", str(file), "--", name, status=2)
    assert not file.exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("alice", "line 2: a name, a scope, a hash"),
        (f"alice all {DIGEST}", "line 2: a scope is one of play, operate, admin"),
        (f"Alice play {DIGEST}", "line 2: a name has"),
        ("alice play 0123", "line 2: the third word is no SHA-256"),
        ("alice play cit_secretsecretsecret", "line 2: the third word is no SHA-256"),
        (f"alice play {DIGEST} soon", "line 2: the last word is no date"),
        (f"alice play {DIGEST} 2030-01-01 more", "line 2: a name, a scope"),
        (f"alice play {DIGEST}\nbob play {DIGEST}", "line 3: the token of an earlier line"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_repeats_nothing(file: Path, line: str, said: str) -> None:
    with pytest.raises(TokenFileError, match=said) as refused:
        read_entries(f"# heading\n{line}\n")
    assert "cit_" not in str(refused.value)
    file.parent.mkdir()
    file.write_text(f"# heading\n{line}\n", "utf-8")
    with pytest.raises(TokenFileError, match=said):
        build_app(ServeSettings.load(tokens=file))
    assert said in run("list", "--tokens", str(file), status=1)[1]


def test_what_is_written_is_what_is_read() -> None:
    entries = [make_token("alice", scope, datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))[1] for scope in SCOPES]
    assert read_entries(write_entries(entries)) == entries
    (date,) = read_entries(f"alice play {DIGEST} 2030-01-31  # a comment")
    assert date.expires == datetime(2030, 1, 31, tzinfo=UTC)
    assert date.is_valid(datetime(2030, 1, 30, 23, 59, tzinfo=UTC))
    assert not date.is_valid(datetime(2030, 1, 31, tzinfo=UTC))


def test_the_file_is_read_again_when_it_changes(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    (alice, first), (bob, second) = make_token("alice", OPERATE), make_token("bob", OPERATE)
    file.parent.mkdir()
    file.write_text(write_entries([first]), "utf-8")
    file.chmod(0o600)
    table = TokenTable(file, lambda: now)
    assert table.find(alice) is not None
    assert [table.find(token) for token in (bob, "", alice[:-1], alice + "x", alice.upper(), "ü\udcff")] == [None] * 6
    file.write_text(write_entries([second, first]), "utf-8")
    assert table.find(bob) is None  # it was looked less than a second ago
    now = 1.0
    assert table.find(bob) is not None
    for broken in ("nonsense", None):
        now += 1.0
        if broken is None:
            file.unlink()
        else:
            file.write_text(broken, "utf-8")
        assert table.find(alice) is not None
        assert "stay as they were" in caplog.text
        caplog.clear()
    file.write_text(write_entries([second]), "utf-8")
    table.refresh()
    assert table.find(alice) is None


def test_nothing_secret_is_in_representations_and_logs(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    token, entry = make_token("alice", OPERATE)
    file.parent.mkdir()
    file.write_text(write_entries([entry]), "utf-8")
    file.chmod(0o644)
    with caplog.at_level(logging.DEBUG):
        table = TokenTable(file)
        holder = table.find(token)
    assert holder is not None
    assert "chmod 600" in caplog.text
    for text in (repr(holder), repr(holder.user.access_token), repr(table), repr(entry), caplog.text):
        assert token not in text
        assert token.removeprefix(PREFIX) not in text


def test_a_websocket_ends_with_its_token(file: Path) -> None:
    token, entry = make_token("alice", OPERATE)
    file.parent.mkdir()
    file.write_text(write_entries([entry]), "utf-8")
    with (
        guarded_server(Tokens(file, {}, {}, "")) as address,
        open_talk(address, additional_headers=bearer(token)) as talk,
    ):
        episode = talk.reset()["observation"]["episode_id"]
        file.write_text("", "utf-8")
        time.sleep(1.1)
        with pytest.raises(ConnectionClosedError, match="not valid any more"):
            talk.state()
        file.write_text(write_entries([entry]), "utf-8")
        time.sleep(1.1)
        with open_talk(address, additional_headers=bearer(token)) as other:
            other.reset(resume=True, episode_id=episode)  # it was left as it stood


@pytest.mark.slow
def test_a_server_reads_its_tokens_again_and_tells_none(file: Path) -> None:
    token = run("add", "alice", "--tokens", str(file))[0].strip()
    with started("serve", "--tokens", str(file)) as (address, process):

        def ask() -> int:
            return httpx2.get(f"{address}/tasks", headers=bearer(token)).status_code

        assert ask() == 200
        run("remove", "alice", "--tokens", str(file))
        os.kill(process.pid, signal.SIGHUP)
        deadline = time.monotonic() + 10
        while ask() != 401:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert process.poll() is None
        process.terminate()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert token not in said
    assert "asks for no tokens" not in said


@pytest.mark.slow
def test_a_public_address_without_tokens_warns() -> None:
    with started("serve", "--allow-host", "lab.example") as (address, process):
        assert httpx2.get(f"{address}/health").status_code == 200
        process.terminate()
        assert process.stderr is not None
        assert "WARNING: this server may be reached from other machines" in process.stderr.read().decode()
