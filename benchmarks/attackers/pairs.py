"""Rules of one line over two features: all of them are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.attackers.matrix import Matrix

    Floats = NDArray[np.float64]

_SECOND = 1e-3


class Rule(NamedTuple):
    """A rule in words, and how often it is right where it was found and where it was not."""

    words: str
    found: float
    kept: float


def find_rules(matrix: Matrix, trained: NDArray[np.bool_], most: int = 10) -> list[Rule]:
    """The best rules on some incidents, with how they fare on the others.

    A rule names the component with the highest sum of two ranks, or the highest first one and among equals the second.
    Each rank counts upwards or downwards.
    """
    columns = [place for place, name in enumerate(matrix.names) if name.endswith("(rank)")]
    ranks = matrix.values[:, columns]
    names = [f"{matrix.groups[place]}: {matrix.names[place].removesuffix(' (rank)')}" for place in columns]
    signed = np.concatenate([ranks, 1.0 - ranks], axis=1)
    words = [f"most {name}" for name in names] + [f"least {name}" for name in names]
    starts = np.concatenate([[0], np.nonzero(np.diff(matrix.incident))[0] + 1])
    sizes = np.diff(np.concatenate([starts, [len(matrix.incident)]]))
    is_root = matrix.is_root[:, None] == 1
    some = []
    for first in range(signed.shape[1]):
        for joined, second in (("and", 1.0), ("then", _SECOND)):
            scores = signed[:, first : first + 1] + second * signed
            top = scores >= np.repeat(np.maximum.reduceat(scores, starts, axis=0), sizes, axis=0) - 1e-9
            rights = np.add.reduceat(top & is_root, starts, axis=0, dtype=np.float64) / np.add.reduceat(
                top, starts, axis=0, dtype=np.float64
            )
            found, kept = rights[trained].mean(axis=0), rights[~trained].mean(axis=0)
            best = [
                each for each in np.argsort(-found, kind="stable")[:most].tolist() if joined == "then" or first < each
            ]
            some += [
                Rule(f"{words[first]} {joined} {words[each]}", float(found[each]), float(kept[each])) for each in best
            ]
    return sorted(some, key=lambda rule: -rule.found)[:most]
