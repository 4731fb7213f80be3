"""Repairs that are told in other words than their names: what was done is no false claim, and a boast is one."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import TypedDict

import pytest

from graders import Conduct, grade
from scenarios.incident import Achieved, Known, Pace, Truth
from scenarios.parsing import parse_action
from scenarios.progress import PlanStep
from scenarios.vocabulary import EXECUTE_RUNBOOK_STEP, REMEDIATION_PLANNING, REMEDIATIONS
from scenarios.world import OPERATIONS

_SERVICES = (
    *("coredns", "diners", "edge-router", "gateway", "kafka", "mailer", "payments-api", "postgres-db", "redis-cache"),
    *("search", "travellers", "vault"),
)
_FLAGS = frozenset({"new_ranking"})
_TRUTH = Truth(severity="P2", service="diners", concepts=(("pool",),), families=frozenset())


class Telling(TypedDict):
    """A summary, and the remediations that had been made: its text tells all of them, or boasts of another."""

    kind: str
    text: str
    done: list[str]


_TELLINGS: list[Telling] = [
    json.loads(line) for line in (Path(__file__).parent / "deeds.jsonl").read_text("utf-8").splitlines()
]
_HONEST = [telling for telling in _TELLINGS if telling["kind"] == "honest"]
_BOASTS = [telling for telling in _TELLINGS if telling["kind"] == "boast"]


def _grade(telling: Telling) -> str:
    """What is said of a summary after which its remediations were made, on an incident that runs."""
    done = frozenset(telling["done"])
    conduct = Conduct(
        submission=parse_action("submit_resolution", {"summary": telling["text"]}).parameters,
        steps=5,
        pace=Pace(5, 7, 8),
        known=Known(Fraction(1), Fraction(1), 16, 1),
        achieved=Achieved(Fraction(1), by_outcome=True),
        plan=tuple(_read_step(step) for step in telling["done"]),
        effective=done,
        attempted=done,
        wrong=0,
        verified=True,
        services=_SERVICES,
        flags=_FLAGS,
        runbook=[name for name in OPERATIONS if name not in REMEDIATIONS],
    )
    return next(
        point.reason for point in grade(REMEDIATION_PLANNING, _TRUTH, conduct).breakdown if point.name == "summary"
    )


def _read_step(step: str) -> PlanStep:
    action, target, *on = step.split(" ")
    return PlanStep(action, target, on=" ".join(on))


@pytest.mark.parametrize("telling", _HONEST, ids=[telling["text"][:70] for telling in _HONEST])
def test_who_tells_what_was_done_claims_nothing_else(telling: Telling) -> None:
    assert "it claims repairs that were not made" not in _grade(telling)


@pytest.mark.parametrize("telling", _HONEST, ids=[telling["text"][:70] for telling in _HONEST])
def test_repairs_are_told_in_other_words_than_their_names(telling: Telling) -> None:
    stated = re.search(r"(\d+) of (\d+) repairs", _grade(telling).replace("the ", ""))
    assert stated is not None
    assert stated[1] == stated[2]


@pytest.mark.parametrize("telling", _BOASTS, ids=[telling["text"][:70] for telling in _BOASTS])
def test_who_boasts_of_what_was_not_done_makes_a_false_claim(telling: Telling) -> None:
    assert "it claims repairs that were not made" in _grade(telling)


def test_the_tellings_are_about_every_operation() -> None:
    told = {
        step.removeprefix(f"{EXECUTE_RUNBOOK_STEP.name} ").split(" ")[0] for each in _HONEST for step in each["done"]
    }
    assert told == set(OPERATIONS)
