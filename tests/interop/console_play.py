"""Prints a perfect play of RP-001 and what its page must not learn before the end, as JSON for another environment."""

from __future__ import annotations

import json
import sys

from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue
from tests.secrets_of import secrets_of

_PLAYED = "RP-001"
_OWN_WORDS = ("step ", "deed ", "the cause", "the severity")
"""What the lists of services, steps and severities say as well; the truth it is only together with the rest."""


def main() -> None:
    """Print `{"scenario_id", "actions": [{"action_type", "parameters"}], "secrets": {name: pattern}}`."""
    scenario = Catalogue().get(_PLAYED)
    json.dump(
        {
            "scenario_id": _PLAYED,
            "actions": [
                {"action_type": action.name, "parameters": action.parameters.model_dump(exclude_defaults=True)}
                for action in play_perfectly(scenario.incident, scenario.task)
            ],
            "secrets": {
                name: pattern.pattern
                for name, pattern in secrets_of(scenario).items()
                if not name.startswith(_OWN_WORDS)
            },
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
