"""Tokens as the file has them: a name, a scope, a hash and a date, on a line each."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from cloud_incident.settings.sources import InvalidSettingsError
from env_core.callers import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX: Final = "cit_"
"""Begins every token, so that programs which look for secrets that have leaked find it."""
_TOKEN_BYTES = 32
_MOST_BYTES = 1 << 20
"""Bytes of a file of tokens at most."""

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEADING = """\
# Tokens of Cloud Incident; `cloud-incident tokens` writes this file, and a server reads it anew when it changes.
# name  scope  SHA-256 of the token  [end of its validity]
"""


class TokenFileError(InvalidSettingsError):
    """A file of tokens that cannot be used. The message says which line, and never what a token is."""


class TokenEntry(NamedTuple):
    """A token, of which only its hash is known. It is valid until `expires`, for ever if that is None.

    The hash is a plain SHA-256: a token has 256 random bits, so there is no list of likely tokens that a slow hash
    would make long to try, and every request is to be checked within microseconds.
    """

    name: str
    scope: str
    digest: bytes
    expires: datetime | None = None

    @property
    def id(self) -> str:
        """The beginning of the hash, which tells tokens of one name apart."""
        return self.digest.hex()[:12]

    @property
    def scopes(self) -> frozenset[str]:
        """What the token allows for: its scope and those before."""
        return frozenset(SCOPES[: SCOPES.index(self.scope) + 1])

    def is_valid(self, now: datetime) -> bool:
        """Whether the token has not expired yet."""
        return self.expires is None or now < self.expires


def make_token(name: str, scope: str, expires: datetime | None = None) -> tuple[str, TokenEntry]:
    """A new token, and what is kept of it.

    Raises:
        ValueError: if the name or the scope is not valid.
    """
    token = f"{PREFIX}{secrets.token_urlsafe(_TOKEN_BYTES)}"
    return token, TokenEntry(_check_name(name), _check_scope(scope), hash_token(token), expires)


def hash_token(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def read_entries(text: str) -> list[TokenEntry]:
    """The tokens of a file.

    Raises:
        TokenFileError: if a line is no token; it says which one and why.
    """
    if len(text) > _MOST_BYTES:
        raise TokenFileError(f"a file of tokens has {_MOST_BYTES} bytes at most")
    entries: dict[bytes, TokenEntry] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            entry = _read_entry(words)
        except ValueError as error:
            raise TokenFileError(f"line {number}: {error}") from None
        if entry.digest in entries:
            raise TokenFileError(f"line {number}: the token of an earlier line")
        entries[entry.digest] = entry
    return list(entries.values())


def write_entries(entries: Iterable[TokenEntry]) -> str:
    """The text of a file of tokens."""
    return "".join([_HEADING, *map(_write_entry, entries)])


def _read_entry(words: list[str]) -> TokenEntry:
    if not 3 <= len(words) <= 4:
        raise ValueError("a name, a scope, a hash and perhaps a date are expected")
    name, scope, digest, *dates = words
    if not _DIGEST.fullmatch(digest):
        raise ValueError("the third word is no SHA-256 in hexadecimal digits; `cloud-incident tokens add` makes lines")
    return TokenEntry(
        _check_name(name), _check_scope(scope), bytes.fromhex(digest), _read_date(dates[0]) if dates else None
    )


def _write_entry(entry: TokenEntry) -> str:
    words = [entry.name, entry.scope, entry.digest.hex()]
    if entry.expires is not None:
        words.append(entry.expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return f"{'  '.join(words)}\n"


def _read_date(text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("the last word is no date such as 2030-01-31 or 2030-01-31T12:00:00Z") from None
    return date.replace(tzinfo=date.tzinfo or UTC)


def _check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("a name has small letters, digits, `-` and `_`, 32 at most, and begins with none of the signs")
    return name


def _check_scope(scope: str) -> str:
    if scope not in SCOPES:
        raise ValueError(f"a scope is one of {', '.join(SCOPES)}")
    return scope
