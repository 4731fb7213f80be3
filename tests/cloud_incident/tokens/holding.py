"""A server that asks for tokens, with tokens of every kind, and what each declared thing needs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cloud_incident.app import build_app
from cloud_incident.listening import make_server
from cloud_incident.settings.serve import ServeSettings
from cloud_incident.tokens.entry import make_token, write_entries
from env_core.callers import SCOPES
from tests.servers import on_a_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette

WRONG = "cit_wrong"


@dataclass(frozen=True)
class Tokens:
    """A file of tokens, and the tokens themselves by scope: those of `alice`, who owns, and those of `bob`."""

    file: Path
    alice: dict[str, str]
    bob: dict[str, str]
    expired: str

    @classmethod
    def write(cls, file: Path) -> Tokens:
        """Make tokens and write their file."""
        alice = {scope: make_token("alice", scope) for scope in SCOPES}
        bob = {scope: make_token("bob", scope) for scope in SCOPES}
        expired = make_token("alice", "admin", datetime(2020, 1, 1, tzinfo=UTC))
        entries = [entry for _, entry in (*alice.values(), *bob.values(), expired)]
        file.write_text(write_entries(entries), "utf-8")
        file.chmod(0o600)
        return cls(
            file,
            {scope: token for scope, (token, _) in alice.items()},
            {scope: token for scope, (token, _) in bob.items()},
            expired[0],
        )


def bearer(token: str) -> dict[str, str]:
    """The header that sends a token; none where the token is empty."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def guarded_app(tokens: Tokens, **settings: object) -> Starlette:
    """The application of `cloud-incident serve --tokens FILE`."""
    return build_app(ServeSettings.load(tokens=tokens.file, **settings))


@contextmanager
def guarded_server(tokens: Tokens, **settings: object) -> Iterator[str]:
    """A server that asks for tokens, in this process; its base address."""
    loaded = ServeSettings.load(tokens=tokens.file, **settings)
    with on_a_thread(make_server(build_app(loaded), loaded)) as address:
        yield address
