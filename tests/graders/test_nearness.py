"""What no list has is told by the nearness of all words, and nothing is told by words of many failures."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from benchmarks.answers.__main__ import FOLDER, KEPT_ASIDE, grade_file
from graders.nearness import NOTHING, TABLE, list_stems, measure_nearness
from graders.prose import find_affirmed
from graders.root_cause import match_failure_mode
from scenarios.evidence import Evidence
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


class _Note(Evidence):
    """The note of a change."""

    note: str

    @property
    def heading(self) -> str:
        return f"{self.service} · recent changes"

    def body(self) -> str:
        return self.note


def _tell(name: str) -> Truth:
    words = families()[name].words
    return replace(TRUTH, concepts=words.concepts, families=frozenset(words.families), fault=name)


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


def test_words_that_say_another_failure_are_not_paid_for_the_ideas_of_this_one() -> None:
    units = (
        "There is no real overload, CPU is even down to 1.36 cores. The sizing profile has a value of the limiter in"
        " another unit than the program expects, seconds instead of milliseconds. So the permitted rate is far too low."
    )
    throttled = _tell("cpu-throttling")
    assert find_affirmed(units, throttled.concepts).groups == (True, True)
    share, reasons = match_failure_mode(units, throttled)
    assert share == 0
    assert reasons[-1].code == "another_failure_nearer"
    assert match_failure_mode(units, _tell("wrong-unit-in-limit"))[0] == 1


def test_a_symptom_may_be_told_beside_the_cause_and_not_in_its_place() -> None:
    symptom = families()["thread-pool-exhaustion"].words
    truth = replace(_tell("cpu-throttling"), symptoms=frozenset(symptom.families[:1]))
    cause = (
        "The cpu limit was lowered to a fraction of a core, so the kernel throttles every pod for most of each period."
    )
    assert match_failure_mode(f"{cause} Its threads are all busy, and requests wait for one.", truth)[0] == 1
    share, reasons = match_failure_mode(f"The cpu limit is too low. {symptom.answer}", truth)
    assert share == 0
    assert reasons[-1].code == "another_failure_nearer"


def test_a_text_divides_the_points_of_one_failure() -> None:
    lines = (FOLDER / "eighth.jsonl").read_text("utf-8").splitlines()[::10]
    texts = [json.loads(line)["text"] for line in lines]
    both = [f"{one} {other}" for one, other in pairwise(texts)]
    for text in (*texts, *both):
        shares = [match_failure_mode(text, _tell(name))[0] for name in FAMILIES]
        assert sum(shares) <= 1, text


def test_a_short_answer_that_names_each_idea_is_paid() -> None:
    """Its few words say little, so that failures which it does not speak of are nearer by how often they come."""
    for name, said in (
        ("bad-release", "The new release is broken."),
        ("poison-message", "A record in a bad format is retried for ever."),
    ):
        assert match_failure_mode(said, _tell(name))[0] == 1, said


def test_who_only_quotes_is_paid_by_the_ideas_alone() -> None:
    note = "lower the cpu limit of pods to a tenth of a core"
    shown = _Note(service="people", as_of="2026-11-03T23:27Z", note=note)
    assert match_failure_mode(f'"{note}"', _tell("cpu-throttling"), (), (shown,))[0] == 1


def test_failures_that_look_the_same_are_no_others() -> None:
    said = families()["regex-backtracking"].words.answer
    apart = measure_nearness(said, "regex-backtracking")
    together = measure_nearness(said, "regex-backtracking", frozenset({"bad-release", "thread-pool-exhaustion"}))
    assert apart is not None
    assert together is not None
    assert together.than_others >= apart.than_others
    assert {*together.nearer, *together.as_near} <= {*apart.nearer, *apart.as_near}


def test_a_note_in_another_order_is_not_nearest_by_its_own_words() -> None:
    truth = _tell("stale-secret-push")
    copied = "key the yearly renewed Signing"
    shown = _Note(service="keys", as_of="2026-11-03T23:27Z", note="Signing key renewed, yearly.")
    assert match_failure_mode(copied, truth)[0] == 1
    assert match_failure_mode(copied, truth, (), (shown,))[0] < 1
    own = "The signing key was renewed, and clients still present the old secret, which is stale and rejected."
    assert match_failure_mode(own, truth, (), (shown,))[0] == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", KEPT_ASIDE)
def test_answers_that_nothing_was_fitted_to_are_paid(name: str) -> None:
    answers = grade_file(name)
    right = [answer.share == 1 for answer in answers if answer.kind == "right"]
    paid = [answer for answer in answers if answer.kind in ("wrong", "boast") and answer.share > 0]
    assert sum(right) >= 0.95 * len(right)
    assert len(paid) <= 1
