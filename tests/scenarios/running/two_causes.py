"""A small incident with two causes: a release that fails in one service, and a limit in the wrong unit in another."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from scenarios.catalogue import Scenario
from scenarios.drawing import Draw
from scenarios.faults import Fault
from scenarios.proofs import Proof
from scenarios.running.document import RunningDocument
from scenarios.running.drawn import DrawnStory
from scenarios.running.incident import RunningIncident
from scenarios.vocabulary import REMEDIATION_PLANNING
from scenarios.world import System, load_system

FIRST = Fault(family="bad-release", component="order-service", at=600)
SECOND = Fault(family="wrong-unit-in-limit", component="auth-service", at=660)
DIFFICULTY = 1
"""By whose rules it was proved: its system is small."""


@cache
def load_background() -> System:
    """The system of the export, without what befalls it."""
    system = load_system("analytics-export")
    idle = tuple(part.model_copy(update={"jobs": (), "flags": ()}) for part in system.components)
    return system.model_copy(update={"components": idle, "changes": ()})


@cache
def load_proof() -> Proof:
    """Its proof, as `prove` gives it."""
    return Proof.model_validate_json((Path(__file__).parent / "two_causes.json").read_text("utf-8"))


def make_scenario() -> Scenario:
    """Its repair, set as a task."""
    drawn = Draw(1, DIFFICULTY, load_background(), FIRST, (), SECOND)
    document = RunningDocument(
        incident="two-causes",
        after="",
        system=drawn.background.name,
        scenarios={REMEDIATION_PLANNING.id: "RP-TWO"},
        summary="A page has come in.",
        chain=(),
        answered_after=180,
        returns_minutes=None,
    )
    return Scenario(
        "RP-TWO", REMEDIATION_PLANNING, RunningIncident(document, drawn.system, DrawnStory(drawn, load_proof()))
    )
