"""What answers in other people's words earn: `python -m benchmarks.answers [-v]`.

Each file has answers by other writers. They were given alert, evidence and debrief of one incident of each family, and
wrote two right answers, a half-right one, and a wrong or a boasting one; the last three files have a wrong and a
boasting one and no half-right one. `-v` prints those that earn something else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from graders.root_cause import match_failure_mode
from scenarios.catalogue import Catalogue

if TYPE_CHECKING:
    from scenarios.incident import Incident

FOLDER = Path(__file__).parent
FILES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
"""The lists were mended by the first four. The sixth and later ones are each about incidents of their own."""
KEPT_ASIDE = ("eleventh",)
"""To these nothing was fitted."""
KINDS = ("right", "half", "wrong", "boast")


class Answer(NamedTuple):
    """An answer for an incident of a family, what it was meant to be, and its share of the failure mode's points."""

    case: str
    kind: str
    text: str
    share: float


def grade_file(name: str) -> list[Answer]:
    """Grade the answers of a file."""
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    incidents = open_cases(name)
    return [
        Answer(line["case"], line["kind"], line["text"], _grade(line["text"], incidents[line["case"]]))
        for line in map(json.loads, lines)
    ]


def open_cases(name: str) -> dict[str, Incident]:
    """The incident of each family that the answers of a file are about."""
    catalogue = Catalogue()
    sets: dict[str, dict[str, str]] = json.loads((FOLDER / "cases.json").read_text("utf-8"))
    return {case: catalogue.get(scenario).incident for case, scenario in sets.get(name, sets["first"]).items()}


def _grade(text: str, incident: Incident) -> float:
    return float(match_failure_mode(text, incident.truth, incident.services)[0])


def main(*, verbose: bool) -> None:
    """Print how many answers of each kind earn all and nothing."""
    for name in FILES:
        answers = grade_file(name)
        print(f"{name}: {len(answers)} answers")
        for kind in KINDS:
            shares = [answer.share for answer in answers if answer.kind == kind]
            print(f"  {kind:6} {len(shares):3}: {shares.count(1.0):3} earn all, {shares.count(0.0):3} nothing")
        for answer in answers:
            if verbose and answer.share != (answer.kind == "right"):
                print(f"    {answer.share:.2f} {answer.kind} {answer.case}: {answer.text}")


if __name__ == "__main__":
    main(verbose="-v" in sys.argv[1:])
