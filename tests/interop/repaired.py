"""Prints a play of a listed draw, for clients in other environments: a restart that harms, then a perfect play."""

from __future__ import annotations

import json
import sys

from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue
from scenarios.parsing import parse_action
from scenarios.running.listed import list_proofs


def main() -> None:
    """Print `{"scenario_id", "root", "actions": [{"action_type", "parameters"}]}`."""
    _, difficulty, seed = min(
        (proof.lasts, difficulty, seed) for (seed, difficulty), (_, proof) in list_proofs().items()
    )
    scenario = Catalogue().get(f"GEN2-RP-D{difficulty}-{seed}")
    front = scenario.incident.alert["affected_services"][0]
    first, *others = play_perfectly(scenario.incident, scenario.task)
    actions = [first, parse_action("restart_service", {"service": front}), *others]
    told = {
        "scenario_id": scenario.id,
        "root": scenario.incident.truth.service,
        "actions": [action.dump() for action in actions],
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
