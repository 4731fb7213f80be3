"""The tokens that a server accepts. Their file is read anew when it changes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import secrets
import signal
import stat
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.authentication import AuthCredentials

from cloud_incident.tokens.entry import TokenEntry, TokenFileError, hash_token, read_entries
from env_core.callers import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LOGGER = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
"""How long a change of the file may go unnoticed."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever holds a token: as a caller, and as the MCP SDK knows it, to which it is `user` and `auth`."""

    entry: TokenEntry
    caller: Caller
    user: AuthenticatedUser = field(repr=False)
    auth: AuthCredentials

    @classmethod
    def of(cls, entry: TokenEntry) -> Holder:
        """The holder of a token. The token itself is not known to the SDK either."""
        scopes = sorted(entry.scopes)
        expires = None if entry.expires is None else int(entry.expires.timestamp())
        access = AccessToken(token="", client_id=entry.name, scopes=scopes, expires_at=expires)
        return cls(entry, Caller(entry.name, entry.scopes), AuthenticatedUser(access), AuthCredentials(scopes))


@contextmanager
def refresh_on_hangup(table: TokenTable) -> Iterator[None]:
    """Read the file of a table at once on SIGHUP while this is entered, on the main thread of systems that have it."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(hangup, table.refresh)
    try:
        yield
    finally:
        loop.remove_signal_handler(hangup)


class TokenTable:
    """The tokens of a file. `clock` gives seconds and decides when it is looked whether the file has changed.

    Tokens are looked up by their hash under a key of this process, and the hash that is found is compared in constant
    time. So how long a look-up takes tells nothing about the tokens that there are.

    Raises:
        TokenFileError: if the file cannot be used. Later, a file that cannot be used leaves the tokens as they were,
            and the log says why.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.file = file
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._holders: dict[bytes, Holder] = {}
        self._stamp: object = None
        self._looked = clock()
        self._read(self._look())

    def find(self, token: str) -> Holder | None:
        """The holder of a token; None if there is no such token, or it has expired."""
        return self._find_hash(hash_token(token))

    def is_current(self, holder: Holder) -> bool:
        """Whether the token of a holder that was found earlier is valid still, for the same name and scope."""
        found = self._find_hash(holder.entry.digest)
        return found is holder or (found is not None and found.caller == holder.caller)

    async def verify_token(self, token: str) -> AccessToken | None:
        """What the MCP SDK knows of the holder of a token: the table is a verifier of the SDK's."""
        holder = self.find(token)
        return None if holder is None else holder.user.access_token

    def refresh(self) -> None:
        """Read the file if it has changed."""
        try:
            stamp = self._look()
            if stamp != self._stamp:
                self._read(stamp)
        except TokenFileError as error:
            _LOGGER.error("%s The tokens stay as they were.", error)

    def _find_hash(self, digest: bytes) -> Holder | None:
        now = self._clock()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self.refresh()
        holder = self._holders.get(self._blind(digest))
        if holder is None or not hmac.compare_digest(holder.entry.digest, digest):
            return None
        return holder if holder.entry.expires is None or holder.entry.is_valid(datetime.now(UTC)) else None

    def _look(self) -> tuple[Any, ...]:
        """What changes whenever the file does."""
        try:
            found = self.file.stat()
        except OSError as error:
            raise TokenFileError(f"The tokens in {self.file} cannot be read: {error.strerror}.") from None
        return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode

    def _read(self, stamp: tuple[Any, ...]) -> None:
        self._stamp = stamp
        try:
            entries = read_entries(self.file.read_text("utf-8"))
        except TokenFileError as error:
            raise TokenFileError(f"The tokens in {self.file} cannot be used: {error}.") from None
        except UnicodeDecodeError:
            raise TokenFileError(f"The tokens in {self.file} cannot be used: it is not UTF-8 text.") from None
        except OSError as error:
            raise TokenFileError(f"The tokens in {self.file} cannot be read: {error.strerror}.") from None
        self._holders = {self._blind(entry.digest): Holder.of(entry) for entry in entries}
        if os.name == "posix" and stamp[-1] & (stat.S_IRWXG | stat.S_IRWXO):
            _LOGGER.warning("%s is open to other users of this machine; `chmod 600` closes it.", self.file)
        if not entries:
            _LOGGER.warning("%s has no token, so nobody can call; `cloud-incident tokens add` adds one.", self.file)

    def _blind(self, digest: bytes) -> bytes:
        return hashlib.blake2b(digest, key=self._key, digest_size=32).digest()
