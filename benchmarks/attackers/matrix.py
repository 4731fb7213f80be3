"""Features of all components of all incidents as one table of numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.attackers.reading import BAGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from benchmarks.attackers.collecting import Sighting
    from benchmarks.attackers.reading import Groups

    Floats = NDArray[np.float64]

_LEAST_SHARE, _LEAST_INCIDENTS = 0.05, 8
"""The share of incidents that a feature has to be in, and their number."""
_RANK = " (rank)"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A row for each component of each incident, a column for each feature, with the group of each column.

    A number stands there as it is, and as the share of the components of its incident that have less.
    """

    values: Floats
    names: tuple[str, ...]
    groups: tuple[str, ...]
    incident: NDArray[np.int64]
    is_root: NDArray[np.int64]

    def pick(self, groups: Collection[str], *, but: Collection[str] = ()) -> Matrix:
        """The columns of some groups, but not those of others."""
        columns = [place for place, group in enumerate(self.groups) if group in groups and group not in but]
        return Matrix(
            self.values[:, columns],
            tuple(self.names[place] for place in columns),
            tuple(self.groups[place] for place in columns),
            self.incident,
            self.is_root,
        )

    def list_columns(self) -> dict[str, list[int]]:
        """The columns of each feature: the number and its rank."""
        found: dict[str, list[int]] = {}
        for place, (group, name) in enumerate(zip(self.groups, self.names, strict=True)):
            found.setdefault(f"{group}: {name.removesuffix(_RANK)}", []).append(place)
        return found


def build_matrix(incidents: Sequence[Sighting], told: Sequence[dict[str, Groups]]) -> Matrix:
    """The table of some incidents, of what was read of each of their components."""
    keys = _list_keys(told)
    place = {key: column for column, key in enumerate(keys)}
    count = sum(len(each) for each in told)
    values = np.zeros((count, len(keys)))
    incident, is_root = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    row = 0
    for number, (seen, components) in enumerate(zip(incidents, told, strict=True)):
        for name, groups in components.items():
            incident[row], is_root[row] = number, name == seen.root
            for group, features in groups.items():
                for feature, value in features.items():
                    if (column := place.get((group, feature))) is not None:
                        values[row, column] = value
            row += 1
    ranked = [column for column, (_, feature) in enumerate(keys) if not feature.startswith(BAGS)]
    ranks = _rank(values[:, ranked], incident)
    both = [*keys, *((keys[column][0], keys[column][1] + _RANK) for column in ranked)]
    return Matrix(
        np.concatenate([values, ranks], axis=1),
        tuple(feature for _, feature in both),
        tuple(group for group, _ in both),
        incident,
        is_root,
    )


def _list_keys(told: Sequence[dict[str, Groups]]) -> list[tuple[str, str]]:
    """The features that enough incidents have."""
    counts: Counter[tuple[str, str]] = Counter()
    for components in told:
        counts.update(
            {(group, name) for groups in components.values() for group, features in groups.items() for name in features}
        )
    least = max(_LEAST_INCIDENTS, _LEAST_SHARE * len(told))
    return sorted(key for key, count in counts.items() if count >= least)


def _rank(values: Floats, incident: NDArray[np.int64]) -> Floats:
    ranks = np.zeros_like(values)
    for rows in list_rows(incident):
        own = values[rows]
        less = (own[None, :, :] < own[:, None, :]).mean(axis=1)
        same = (own[None, :, :] == own[:, None, :]).mean(axis=1)
        ranks[rows] = less + 0.5 * same
    return ranks


def list_rows(incident: NDArray[np.int64]) -> Iterable[slice]:
    """The rows of each incident, in order."""
    edges = [0, *(np.nonzero(np.diff(incident))[0] + 1).tolist(), len(incident)]
    return [slice(first, last) for first, last in pairwise(edges)]


def credit(scores: Floats, is_root: NDArray[np.int64], incident: NDArray[np.int64]) -> list[float]:
    """For each incident: 1 if the root has the highest score alone, a part of it among equals."""
    found = []
    for rows in list_rows(incident):
        tops = scores[rows] >= scores[rows].max() - 1e-12
        found.append(float((tops & (is_root[rows] == 1)).sum() / tops.sum()))
    return found
