"""The draws that have been proved, by seed and difficulty."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.proofs.proof import Proof

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = Path(__file__).parent / "proofs.jsonl.gz"


@cache
def list_proofs() -> Mapping[tuple[int, int], Proof]:
    """The proofs that come with this package, by seed and difficulty. `scripts/prove` writes such a file."""
    if not _FILE.exists():
        return {}
    lines = gzip.decompress(_FILE.read_bytes()).decode().splitlines()
    return {(line["seed"], line["difficulty"]): Proof.model_validate(line["proof"]) for line in map(json.loads, lines)}


def find_proof(seed: int, difficulty: int) -> Proof | None:
    """The proof of a draw, if it is listed."""
    return list_proofs().get((seed, difficulty))
