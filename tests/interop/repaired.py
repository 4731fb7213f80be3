"""Prints a play of a listed draw, for clients in other environments: a restart that harms, then a perfect play."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from env_core.episode import begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.review import review_steps
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.parsing import parse_action
from scenarios.running.listed import list_proofs

if TYPE_CHECKING:
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action


def _plan(scenario: Scenario) -> list[Action]:
    """A look, a restart of the first service of the alert, and the rest of a perfect play."""
    first, *others = play_perfectly(scenario.incident, scenario.task)
    front = scenario.incident.alert["affected_services"][0]
    return [first, parse_action("restart_service", {"service": front}), *others]


def _harms_and_repairs(scenario: Scenario, actions: list[Action]) -> bool:
    """Whether one remediation of a play is wrong and another effective: a restart may help, or bring users nothing."""
    episode = begin("play", Reference.to(scenario), scenario)
    for action in actions:
        episode = step(episode, action).episode
    review = review_steps(episode, curves=False)
    return review is not None and {"wrong", "effective"} <= {each["verdict"] for each in review["steps"]}


def main() -> None:
    """Print `{"scenario_id", "root", "actions": [{"action_type", "parameters"}]}`."""
    drawn = sorted((proof.lasts, difficulty, seed) for (seed, difficulty), (_, proof) in list_proofs().items())
    catalogue = Catalogue()
    scenarios = (catalogue.get(f"GEN2-RP-D{difficulty}-{seed}") for _, difficulty, seed in drawn)
    plays = ((scenario, _plan(scenario)) for scenario in scenarios)
    scenario, actions = next(play for play in plays if _harms_and_repairs(*play))
    told = {
        "scenario_id": scenario.id,
        "root": scenario.incident.truth.service,
        "actions": [action.dump() for action in actions],
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
