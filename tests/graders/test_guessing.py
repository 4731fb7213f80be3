"""A list of guesses is told from a cause that is told in many words."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from benchmarks.answers.__main__ import FILES, FOLDER
from graders.guessing import lists_guesses
from graders.root_cause import match_failure_mode
from scenarios.catalogue import Catalogue

_OF_LISTS = FILES[:5]
"""The files whose boasts are lists of what it could have been; later ones boast in other ways too."""


def read(names: tuple[str, ...], *kinds: str) -> list[str]:
    lines = [json.loads(line) for name in names for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]
    return [line["text"] for line in lines if line["kind"] in kinds]


def test_answers_that_boast_are_told_from_all_others() -> None:
    assert all(map(lists_guesses, read(_OF_LISTS, "boast")))
    assert not any(map(lists_guesses, read(FILES, "right", "half", "wrong")))


def test_it_is_worth_nothing_even_if_the_truth_is_in_it() -> None:
    truth = Catalogue().get("RCA-001").incident.truth
    right = truth.answer or "the export query used all memory and was killed"
    share, reasons = match_failure_mode(f"Could be a bad deploy, dns, a full disk, or this: {right}", truth)
    assert share == Fraction(0)
    assert [reason.code for reason in reasons] == ["guesses_listed"]


@pytest.mark.parametrize(
    "text",
    [
        "No replica could be added beyond the cap, so requests, jobs, imports and exports wait",
        "",
        "," * 5000,
    ],
)
def test_what_states_something_lists_no_guesses(text: str) -> None:
    assert not lists_guesses(text)


def test_services_that_are_listed_are_no_guesses() -> None:
    text = (
        "The secret was rotated and no longer matches what requests are signed with, so the gateway rejects every one "
        "with 401 within milliseconds, and nothing reaches transfers, open-banking or card-management."
    )
    services = ("transfers", "open-banking", "card-management")
    assert lists_guesses(text)
    assert not lists_guesses(text, services)
    assert lists_guesses("A leak, a lock, a full disk, a bad deploy, transfers or a slow query", services)
    guesses = (
        "Possibly the certificate expired, transfers one producer floods it, open-banking secret rotated, or leaks"
    )
    assert lists_guesses(guesses, services)
