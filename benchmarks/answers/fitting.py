"""Fit what words say of failures to the answers that are there for it: `scripts/fit-answers` writes the table.

A logistic regression over the stems of a text: of each right answer its failure, and of vague, wrong and boasting ones
none. The sentences in which the families themselves say what fails are right answers too.
"""

from __future__ import annotations

import json
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.answers.__main__ import FOLDER, KEPT_ASIDE, open_cases
from graders import nearness
from graders.root_cause import leave_names
from scenarios.faults import FAMILIES
from scenarios.generator.library import families

if TYPE_CHECKING:
    from collections.abc import Iterator

Example = tuple[frozenset[str], str]

_LEAST = 2
"""Answers that a stem occurs in."""
_WEIGHT_OF_NOTHING = 0.3
_INVERSE_PENALTY = 10.0


def list_examples(names: tuple[str, ...]) -> Iterator[Example]:
    """The stems of each answer of some files, and of the sentences of families, with the failure that it says."""
    for name in names:
        incidents = open_cases(name)
        for line in map(json.loads, (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()):
            text = leave_names(line["text"], incidents[line["case"]].services)
            yield nearness.list_stems(text), line["case"] if line["kind"] == "right" else nearness.NOTHING
    for name, family in FAMILIES.items():
        words = families()[name].words
        for said in filter(None, (family.answer, words.answer, *words.also)):
            yield nearness.list_stems(leave_names(said, ())), name


def fit(examples: list[Example]) -> dict[str, object]:
    """The table that `graders.nearness` reads: weights in hundredths."""
    counted: dict[str, int] = {}
    for stems, _ in examples:
        for stem in stems:
            counted[stem] = counted.get(stem, 0) + 1
    known = sorted(stem for stem, count in counted.items() if count >= _LEAST)
    places = {stem: place for place, stem in enumerate(known)}
    shown = np.zeros((len(examples), len(known)))
    for row, (stems, _) in enumerate(examples):
        mine = [places[stem] for stem in stems if stem in places]
        shown[row, mine] = 1.0 / sqrt(max(1, len(mine)))
    said = [failure for _, failure in examples]
    weights = dict.fromkeys(said, 1.0) | {nearness.NOTHING: _WEIGHT_OF_NOTHING}
    model = LogisticRegression(C=_INVERSE_PENALTY, class_weight=weights, max_iter=2000).fit(shown, said)
    hundredths = np.rint(model.coef_ * 100.0).astype(int)
    return {
        "failures": [str(failure) for failure in model.classes_],
        "start": np.rint(model.intercept_ * 100.0).astype(int).tolist(),
        "weights": {
            stem: hundredths[:, places[stem]].tolist() for stem in known if np.any(hundredths[:, places[stem]])
        },
    }


def write_table(table: dict[str, object]) -> None:
    """Write a table a stem to a line, so that a change of it can be read."""
    parts = {key: json.dumps(value) for key, value in table.items() if key != "weights"}
    weights = table["weights"]
    if not isinstance(weights, dict):
        raise TypeError("weights are given by stem")
    rows = ",\n".join(f"{json.dumps(stem)}: {json.dumps(row, separators=(',', ':'))}" for stem, row in weights.items())
    nearness.TABLE.write_text(
        f'{{"failures": {parts["failures"]},\n"start": {parts["start"]},\n"weights": {{\n{rows}\n}}}}\n', "utf-8"
    )


def main() -> None:
    """Fit to all files but those that are kept aside."""
    names = tuple(path.stem for path in sorted(FOLDER.glob("*.jsonl")) if path.stem not in KEPT_ASIDE)
    write_table(fit(list(list_examples(names))))


if __name__ == "__main__":
    main()
