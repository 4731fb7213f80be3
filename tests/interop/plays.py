"""Prints the perfect plays of all nine scenarios and what they must show, as JSON for clients in other environments."""

from __future__ import annotations

import json
import sys

from cloud_incident.evaluation.running import play_actions
from env_core.perfect import play_perfectly
from env_core.transition import Transition
from mcp_server.results import build_step_result
from scenarios.catalogue import Catalogue
from scenarios.vocabulary import POINT
from tests.mcp_server.playing import read_text


def main() -> None:
    """Print `[{"scenario_id", "score", "calls": [{"tool", "arguments", "text", "evidence", "reward"}]}]`."""
    plays = []
    for scenario in Catalogue().scenarios.values():
        actions = play_perfectly(scenario.incident, scenario.task)
        calls = []
        for number, action in enumerate(actions):
            episode = play_actions(scenario, actions[: number + 1])
            step = episode.steps[-1]
            calls.append(
                {
                    "tool": action.name,
                    "arguments": action.parameters.model_dump(exclude_defaults=True),
                    "text": read_text(build_step_result(Transition(episode, stepped=True))),
                    "evidence": step.evidence.text if step.evidence else None,
                    "reward": step.reward / POINT,
                }
            )
        plays.append({"scenario_id": scenario.id, "score": episode.grade and episode.grade.score, "calls": calls})
    json.dump(plays, sys.stdout)


if __name__ == "__main__":
    main()
