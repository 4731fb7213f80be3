"""Run inside a copy of the project that has the toys: incidents are drawn, and a grade has one more component."""

from __future__ import annotations

import sys

from env_core.batch import Batch
from env_core.perfect import play_perfectly
from env_core.selection import Selection
from scenarios.catalogue import Catalogue
from scenarios.generator.incident import GeneratedIncident

MOST_SEEDS = 2_000


def main() -> None:
    catalogue = Catalogue()
    incident = catalogue.get(draw_toy_family(catalogue)).incident
    assert incident.truth.concepts
    batch = Batch(catalogue)
    batch.reset([Selection(scenario_id="RP-001")])
    scenario = catalogue.get("RP-001")
    steps = [batch.step([action.dump()])[0] for action in play_perfectly(scenario.incident, scenario.task)]
    grade = steps[-1].info["grade"]
    assert grade["score"] == 1.0
    (component,) = [point for point in grade["breakdown"] if point["name"] == "toy component"]
    assert component["reason"] == "2 toys were there."
    assert component["reasons"] == [{"code": "toy_code", "facts": {"count": 2}}]
    sys.stdout.write("used")


def draw_toy_family(catalogue: Catalogue) -> str:
    """The first generated scenario that the toy family is behind."""
    for seed in range(MOST_SEEDS):
        scenario = catalogue.get_generated("root_cause_analysis", seed, 1 + seed % 5)
        assert isinstance(scenario.incident, GeneratedIncident)
        family = scenario.incident.scene.fault.family
        if family.family == "toy-family":
            assert str(family.mechanism) == "toy_mechanism"
            return scenario.id
    raise LookupError("no seed draws the toy family")


if __name__ == "__main__":
    main()
