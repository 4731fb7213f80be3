"""The ids of generated scenarios: plain ones say what they name, opaque ones only to those who have their salt."""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from functools import cached_property
from hashlib import blake2b
from hmac import compare_digest
from typing import TYPE_CHECKING, Protocol

from scenarios.generator.naming import (
    DIFFICULTIES,
    GENERATOR_VERSION,
    GENERATORS,
    MOST_SEED,
    PRIVATE,
    Name,
    region_of,
)
from scenarios.vocabulary import TASKS, TaskId

if TYPE_CHECKING:
    from scenarios.generator.naming import GeneratorVersion
    from scenarios.generator.salt import Salt

_CODES: dict[TaskId, str] = {task.id: task.code for task in TASKS.values()}
_TASKS = {code: task_id for task_id, code in _CODES.items()}
_WRITTEN: dict[str, GeneratorVersion] = {version: version for version in GENERATORS}
"""The versions by how they are written."""
_LISTED = " or ".join(", ".join(_TASKS).rsplit(", ", 1))
_LOOKS_GENERATED = re.compile(r"(GEN|GX)([0-9]+)-")
_VERSIONS = "|".join(GENERATORS)
_PLAIN = re.compile(rf"GEN({_VERSIONS})-({'|'.join(_TASKS)})-D([1-5])-(0|[1-9][0-9]{{0,18}})")


class UnknownNameError(LookupError):
    """The id of a generated scenario that names none here. The message says why."""


class Ids(Protocol):
    """Writes and reads the ids of generated scenarios and incidents."""

    hint: str
    """What an id looks like, for those who gave one that names nothing."""

    def scenario(self, name: Name) -> str:
        """The id of a scenario."""

    def incident(self, name: Name) -> str:
        """The id of its incident, the same for every task."""

    def parse(self, text: str) -> Name | None:
        """What an id names, in whatever case it is written; None if it is not the id of a generated scenario.

        Raises:
            UnknownNameError: if it is one, and names none here.
        """


class PlainIds:
    """`GEN1-RCA-D3-42`: generator version, task, difficulty, seed."""

    hint = f"generated ones are called like GEN{GENERATOR_VERSION}-RCA-D3-42 ({_LISTED}; difficulty 1 to 5; seed)"

    def scenario(self, name: Name) -> str:
        return f"GEN{name.generator}-{_CODES[name.task_id]}-D{name.difficulty}-{name.seed}"

    def incident(self, name: Name) -> str:
        return f"gen{name.generator}-d{name.difficulty}-{name.seed}"

    def parse(self, text: str) -> Name | None:
        text = text.strip().upper()
        _refuse_other_versions(text)
        if text.startswith("GX"):
            raise UnknownNameError(f"{text[:80]} is an opaque id: it names a scenario only where its salt is set.")
        found = _PLAIN.fullmatch(text)
        if found is None or int(found[4]) > MOST_SEED:
            return None
        return Name(_TASKS[found[2]], int(found[4]), int(found[3]), generator=_WRITTEN[found[1]])


class OpaqueIds:
    """`GX1-` and 26 letters and digits, which tell nothing of task, seed and difficulty to those without the salt.

    The id is encrypted deterministically (SIV): a keyed digest of what it names is its tag and the nonce under which
    that is hidden. So one name has one id, ids of related names have nothing in common, and forged ones are known.

    AES-SIV of the package `cryptography` is the same construction, but it has no tag of 8 bytes: its ids would have 39
    letters and digits instead of 26, all ids that exist would change, and its import takes 40 ms of processor time.
    """

    hint = f"generated ones have opaque ids (GX{GENERATOR_VERSION}-…), known only where the salt that made them is set"
    _NAME_BYTES = 8
    _TAG_BYTES = 8

    def __init__(self, salt: Salt) -> None:
        self._salt = salt

    def scenario(self, name: Name) -> str:
        return f"GX{name.generator}-{self._sealed(name, tuple(TASKS).index(name.task_id))}"

    def incident(self, name: Name) -> str:
        return f"gx{name.generator}-{self._sealed(name, len(_TASKS)).lower()}"

    def parse(self, text: str) -> Name | None:
        text = text.strip().upper()
        found = _LOOKS_GENERATED.match(text)
        if found is None or found[1] != "GX":
            return None
        _refuse_other_versions(text)
        return self._unsealed(text[found.end() :], _WRITTEN[found[2]])

    @cached_property
    def _keys(self) -> dict[GeneratorVersion, tuple[bytes, bytes]]:
        """The keys of tag and name, by the version of the generator. The first one has no suffix: its ids last."""
        suffixes = {version: b"" if version == GENERATOR_VERSION else f"-{version}".encode() for version in GENERATORS}
        return {
            version: (self._salt.key(b"ci-id-tag" + suffix), self._salt.key(b"ci-id-hide" + suffix))
            for version, suffix in suffixes.items()
        }

    def _sealed(self, name: Name, task: int) -> str:
        plain = (((task << 3) | name.difficulty) << 52 | name.drawn).to_bytes(self._NAME_BYTES)
        tag = self._tag(plain, name.generator)
        return b32encode(tag + self._hidden(plain, tag, name.generator)).decode().rstrip("=")

    def _tag(self, plain: bytes, version: GeneratorVersion) -> bytes:
        return blake2b(plain, digest_size=self._TAG_BYTES, key=self._keys[version][0]).digest()

    def _unsealed(self, text: str, version: GeneratorVersion) -> Name | None:
        try:
            sealed = b32decode(text + "=" * (-len(text) % 8))
        except ValueError:
            return None
        tag, hidden = sealed[: self._TAG_BYTES], sealed[self._TAG_BYTES :]
        if len(hidden) != self._NAME_BYTES:
            return None
        plain = self._hidden(hidden, tag, version)
        if not compare_digest(tag, self._tag(plain, version)):
            return None
        number = int.from_bytes(plain)
        task, difficulty, seed = number >> 55, number >> 52 & 0b111, number & (1 << 52) - 1
        if task >= len(_TASKS) or difficulty not in DIFFICULTIES:
            return None
        name = Name(tuple(TASKS)[task], seed, difficulty, region_of(seed) == PRIVATE, version)
        return name if self.scenario(name).endswith(text) else None  # not written with spare bits of its own

    def _hidden(self, text: bytes, tag: bytes, version: GeneratorVersion) -> bytes:
        stream = blake2b(tag, digest_size=self._NAME_BYTES, key=self._keys[version][1]).digest()
        return bytes(one ^ other for one, other in zip(text, stream, strict=True))


def _refuse_other_versions(text: str) -> None:
    found = _LOOKS_GENERATED.match(text)
    if found is not None and found[2] not in GENERATORS:
        raise UnknownNameError(
            f"{text[:80]} is of generator version {found[2][:20]}; this release has {' and '.join(GENERATORS)}. "
            "Play it with a release that has the former; what `cloud-incident generate` exports lasts in every release."
        )
