"""Learners: how often they name the root of incidents that they were not taught, and which features carry them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.attackers.matrix import credit, list_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from benchmarks.attackers.matrix import Matrix

    Floats = NDArray[np.float64]

_FOLDS = 4
_REPEATS = 2


class Carrier(NamedTuple):
    """A feature, and what is lost when it is shuffled among components: of accuracy, and of the root's probability."""

    name: str
    accuracy: float
    probability: float


def make_learner(learner: str, columns: int) -> Any:
    """A learner with few parameters: two hundred incidents have two hundred roots."""
    if learner == "boosting":
        return make_pipeline(
            SelectKBest(_score_columns, k=min(100, columns)),
            HistGradientBoostingClassifier(
                max_iter=60, learning_rate=0.1, max_leaf_nodes=8, min_samples_leaf=8, max_bins=32, random_state=1
            ),
        )
    return make_pipeline(
        StandardScaler(), SelectKBest(_score_columns, k=min(40, columns)), LogisticRegression(C=0.05, max_iter=500)
    )


def _score_columns(values: Floats, labels: NDArray[np.int64]) -> Floats:
    """How far each column goes with being the root, upwards or downwards; 0 if it is the same everywhere."""
    off, label = values - values.mean(axis=0), labels - labels.mean()
    spread = np.sqrt((off * off).sum(axis=0))
    scores: Floats = np.abs(off.T @ label) / np.where(spread > 0.0, spread, np.inf)
    return scores


def _split(matrix: Matrix) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Rows that are learned from and rows that are tested, of each fold. No incident is in both."""
    for fold in range(_FOLDS):
        tested = matrix.incident % _FOLDS == fold
        yield ~tested, tested


def learn(matrix: Matrix, learner: str) -> list[float]:
    """The credit for each incident, learned from the incidents of the other folds."""
    scores = np.zeros(len(matrix.incident))
    for taught, tested in _split(matrix):
        model = make_learner(learner, len(matrix.names))
        model.fit(matrix.values[taught], matrix.is_root[taught])
        scores[tested] = model.predict_proba(matrix.values[tested])[:, 1]
    return credit(scores, matrix.is_root, matrix.incident)


def find_carriers(matrix: Matrix, most: int = 15) -> list[Carrier]:
    """The features without which boosting is worst. A feature is shuffled together with its rank."""
    lost: dict[str, list[tuple[float, float]]] = {}
    dice = np.random.default_rng(1)
    features = matrix.list_columns()
    for taught, tested in _split(matrix):
        model = make_learner("boosting", len(matrix.names))
        model.fit(matrix.values[taught], matrix.is_root[taught])
        values, incident, is_root = matrix.values[tested], matrix.incident[tested], matrix.is_root[tested]
        chosen = model[0].get_support()
        best = _measure(model, values, incident, is_root)
        for name, columns in features.items():
            if not chosen[columns].any():
                continue
            for _ in range(_REPEATS):
                shuffled = values.copy()
                shuffled[:, columns] = values[dice.permutation(len(values))][:, columns]
                worse = _measure(model, shuffled, incident, is_root)
                lost.setdefault(name, []).append((best[0] - worse[0], best[1] - worse[1]))
    tries = _FOLDS * _REPEATS
    found = [
        Carrier(name, math.fsum(each[0] for each in some) / tries, math.fsum(each[1] for each in some) / tries)
        for name, some in lost.items()
    ]
    return sorted(found, key=lambda carrier: -carrier.probability)[:most]


def _measure(
    model: Any, values: Floats, incident: NDArray[np.int64], is_root: NDArray[np.int64]
) -> tuple[float, float]:
    """How often the root is named, and the mean of its part of the probabilities of its incident."""
    chances = model.predict_proba(values)[:, 1]
    rights = credit(chances, is_root, incident)
    parts = [float((chances[rows] * is_root[rows]).sum() / chances[rows].sum()) for rows in list_rows(incident)]
    return math.fsum(rights) / len(rights), math.fsum(parts) / len(parts)
