"""The keys of agents' endpoints: each lets its agent act in one episode, and tells the agent nothing about it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from env_core.stores import Claim
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from env_core.episode import Episode

LocateAgent = Callable[[MutableMapping[str, Any], "Episode"], Awaitable[str]]
"""Gives the address of an episode's endpoint for agents, as whoever sent a request (its ASGI scope) reaches it.

It is "" if the caller is not to know it.
"""

LONGEST_KEY = 512
"""No key is longer, in characters."""

_PURPOSE = b"cloud-incident: keys of agents' endpoints"
_SEPARATOR = "\0"


class UnknownKeyError(CloudIncidentError):
    """A text that is no key of this store."""

    code = "unknown_episode"


class AgentKeys:
    """Makes keys and reads them. Every process that has the secret of a store makes and reads the same ones.

    A key is the handle and the incarnation of an episode, encrypted and authenticated (AES-SIV, RFC 5297). So it is
    found without a look-up, nobody can make one or change one, and the handle cannot be read from it.
    """

    def __init__(self, secret: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # takes 100 ms, and stdio needs no keys

        self._cipher = AESSIV(hmac.digest(secret, _PURPOSE, hashlib.sha256))

    def make(self, claim: Claim) -> str:
        """The key of an episode; the same one each time."""
        return _encode(self._cipher.encrypt(_SEPARATOR.join(claim).encode(), None))

    def read(self, key: str) -> Claim:
        """The episode of a key.

        Raises:
            UnknownKeyError: if it is no key that was made here.
        """
        from cryptography.exceptions import InvalidTag

        try:
            sealed = base64.urlsafe_b64decode(f"{key}{'=' * (-len(key) % 4)}") if len(key) <= LONGEST_KEY else b""
            if _encode(sealed) != key:  # other spellings of the same bytes
                raise ValueError("no key is spelt so")
            episode_id, incarnation = self._cipher.decrypt(sealed, None).decode().split(_SEPARATOR)
        except (binascii.Error, ValueError, InvalidTag) as error:
            raise UnknownKeyError("There is no episode of this key.") from error
        return Claim(episode_id, incarnation)


def _encode(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
