"""The draws that have been proved, by seed and difficulty."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenarios.proofs.proof import Proof

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).parent / "proofs.jsonl.gz"


class Listed(NamedTuple):
    """A proof, and the digest of the draw that it is about."""

    drawn: str
    proof: Proof


@cache
def list_proofs() -> Mapping[tuple[int, int], Listed]:
    """The proofs that come with this package, by seed and difficulty in that order.

    They are what `scripts/prove` has written, compressed.
    """
    if not FILE.exists():
        return {}
    lines = [json.loads(line) for line in gzip.decompress(FILE.read_bytes()).decode().splitlines()]
    lines.sort(key=lambda line: (line["seed"], line["difficulty"]))
    return {
        (line["seed"], line["difficulty"]): Listed(line["drawn"], Proof.model_validate(line["proof"])) for line in lines
    }


@cache
def list_calm() -> frozenset[tuple[int, int]]:
    """The listed draws in which nothing is to be repaired, by seed and difficulty."""
    return frozenset(draw for draw, listed in list_proofs().items() if listed.proof.calm is not None)


def find_proof(seed: int, difficulty: int) -> Proof | None:
    """The proof of a draw, if it is listed."""
    listed = list_proofs().get((seed, difficulty))
    return None if listed is None else listed.proof
