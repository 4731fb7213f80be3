"""The salt: a secret that makes the ids of generated scenarios opaque and gives a server a split of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

FEWEST_BYTES = 16
_KEY_BYTES = 32


class SaltError(ValueError):
    """A salt that could be guessed. The message does not repeat it."""


@dataclass(frozen=True, slots=True)
class Salt:
    """A secret of `FEWEST_BYTES` or more. It is never printed: keys are derived from it, one for each purpose.

    Raises:
        SaltError: if it is shorter.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < FEWEST_BYTES:
            raise SaltError(
                f"The salt has {len(self.secret)} bytes and needs {FEWEST_BYTES} or more; "
                "make one with: python -c 'import secrets; print(secrets.token_hex())'"
            )

    @classmethod
    def of(cls, text: str) -> Salt:
        """A salt as it is written down; blanks around it do not count.

        Raises:
            SaltError: if it is too short.
        """
        return cls(text.strip().encode())

    def key(self, purpose: bytes) -> bytes:
        """The key for a purpose, named in at most 16 bytes."""
        return blake2b(self.secret, digest_size=_KEY_BYTES, person=purpose).digest()
