"""What no list has is told by the nearness of all words, and nothing is told by words of many failures."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.answers.__main__ import KEPT_ASIDE, grade_file
from graders.nearness import NOTHING, TABLE, list_stems, measure_nearness
from graders.root_cause import match_failure_mode
from scenarios.faults import FAMILIES
from scenarios.generator.library import families
from scenarios.incident import Truth

LEAK = families()["memory-leak"].words
TRUTH = Truth(
    severity="P2",
    service="reports",
    concepts=tuple(tuple(group) for group in LEAK.concepts),
    families=frozenset(LEAK.families),
    fault="memory-leak",
)
UNLISTED = (
    "The process keeps references to things it no longer needs, so its memory only ever goes up. Once the heap is full,"
    " the garbage collector runs practically all the time, and little processor is left for real work."
)


def test_words_that_are_on_no_list_tell_a_failure() -> None:
    assert match_failure_mode(UNLISTED, TRUTH)[0] == 1
    assert match_failure_mode(UNLISTED, replace(TRUTH, fault=""))[0] < 1


def test_what_is_denied_speaks_for_nothing() -> None:
    near = measure_nearness("Memory leaks and the heap fills up.", "memory-leak")
    denied = measure_nearness("No memory leaks and no heap fills up.", "memory-leak")
    assert near is not None
    assert denied is not None
    assert denied.than_nothing < near.than_nothing
    assert list_stems("The disk was not full.") == {"the", "disk", "was", "not", "!full"}


def test_every_family_that_runs_can_be_near() -> None:
    failures = json.loads(TABLE.read_text("utf-8"))["failures"]
    assert set(failures) == {NOTHING, *FAMILIES}
    assert measure_nearness("anything", NOTHING) is None
    assert measure_nearness("anything", "no-such-family") is None


def test_words_of_many_failures_are_near_to_none() -> None:
    soup = " ".join(FAMILIES[name].answer or families()[name].words.answer for name in FAMILIES)
    shares = [match_failure_mode(soup, replace(TRUTH, fault=name))[0] for name in FAMILIES]
    assert sum(shares) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", KEPT_ASIDE)
def test_answers_that_nothing_was_fitted_to_are_paid(name: str) -> None:
    answers = grade_file(name)
    right = [answer.share == 1 for answer in answers if answer.kind == "right"]
    wrong = [answer.share == 0 for answer in answers if answer.kind in ("wrong", "boast")]
    assert sum(right) >= 0.95 * len(right)
    assert sum(wrong) >= 0.99 * len(wrong)
