"""The draws that have been proved, by seed and difficulty."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenarios.proofs.proof import Proof

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = Path(__file__).parent / "proofs.jsonl.gz"


class Listed(NamedTuple):
    """A proof, and the digest of the draw that it is about."""

    drawn: str
    proof: Proof


_BESIDE: ContextVar[Mapping[tuple[int, int], Listed]] = ContextVar("proofs that are known beside those listed")


def list_proofs() -> Mapping[tuple[int, int], Listed]:
    """The proofs that are known, by seed and difficulty in that order: those that come with this package."""
    beside = _BESIDE.get({})
    return {**_read_file(), **beside} if beside else _read_file()


@contextmanager
def know_beside(proofs: Mapping[tuple[int, int], Listed]) -> Iterator[None]:
    """Proofs that are known too within this context, as if they were listed: draws are tried so before they are."""
    token = _BESIDE.set(proofs)
    try:
        yield
    finally:
        _BESIDE.reset(token)


def read_line(line: str) -> tuple[tuple[int, int], Listed]:
    """The seed and difficulty of a line that `scripts/prove` has written, and its proof."""
    written = json.loads(line)
    return (written["seed"], written["difficulty"]), Listed(written["drawn"], Proof.model_validate(written["proof"]))


def forget_file() -> None:
    """Read the list anew when it is asked for again."""
    _read_file.cache_clear()


@cache
def _read_file() -> Mapping[tuple[int, int], Listed]:
    """The lines that `scripts/prove` has written, compressed."""
    if not FILE.exists():
        return {}
    return dict(
        sorted(map(read_line, gzip.decompress(FILE.read_bytes()).decode().splitlines()), key=lambda known: known[0])
    )


def list_calm() -> frozenset[tuple[int, int]]:
    """The draws with a known proof in which nothing is to be repaired, by seed and difficulty."""
    return frozenset(draw for draw, listed in list_proofs().items() if listed.proof.calm is not None)


def find_proof(seed: int, difficulty: int) -> Proof | None:
    """The proof of a draw, if it is listed."""
    listed = list_proofs().get((seed, difficulty))
    return None if listed is None else listed.proof
