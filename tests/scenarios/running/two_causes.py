"""Small incidents with two causes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from scenarios.catalogue import Scenario
from scenarios.drawing import Draw
from scenarios.faults import Fault
from scenarios.proofs import Proof
from scenarios.running.document import RunningDocument
from scenarios.running.drawn import DrawnStory
from scenarios.running.incident import RunningIncident
from scenarios.vocabulary import REMEDIATION_PLANNING
from scenarios.world import System, load_system

DIFFICULTY = 1
"""By whose rules they were proved: their system is small."""


class Pair(NamedTuple):
    """Two faults that strike one system, and the file of their proof."""

    first: Fault
    second: Fault
    file: str


APART = Pair(
    Fault(family="bad-release", component="order-service", at=600),
    Fault(family="wrong-unit-in-limit", component="auth-service", at=660),
    "two_causes_apart.json",
)
"""Both can be told at once."""
HIDDEN = Pair(
    Fault(family="missing-index", component="postgres-db", at=600, strength=2),
    Fault(family="wrong-unit-in-limit", component="auth-service", at=660, strength=2),
    "two_causes_hidden.json",
)
"""The first hides the second until it is repaired."""


@cache
def load_background() -> System:
    """The system of the export, without what befalls it."""
    system = load_system("analytics-export")
    idle = tuple(part.model_copy(update={"jobs": (), "flags": ()}) for part in system.components)
    return system.model_copy(update={"components": idle, "changes": ()})


@cache
def load_proof(pair: Pair) -> Proof:
    """The proof of a pair, as `prove` gives it."""
    return Proof.model_validate_json((Path(__file__).parent / pair.file).read_text("utf-8"))


@cache
def make_scenario(pair: Pair) -> Scenario:
    """The repair of a pair, set as a task."""
    drawn = Draw(1, DIFFICULTY, load_background(), pair.first, (), pair.second)
    document = RunningDocument(
        incident=pair.file,
        after="",
        system=drawn.background.name,
        scenarios={REMEDIATION_PLANNING.id: "RP-TWO"},
        summary="A page has come in.",
        chain=(),
        answered_after=180,
        returns_minutes=None,
    )
    incident = RunningIncident(document, drawn.system, DrawnStory(drawn, load_proof(pair)))
    return Scenario("RP-TWO", REMEDIATION_PLANNING, incident)
