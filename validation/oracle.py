"""Plays every curated scenario perfectly over REST and says what was earned; fails if anything earned less than 1.0.

Run beside the server, from the package's own environment: `python validation/oracle.py http://127.0.0.1:7860`.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.request import Request, urlopen

from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue


def post(url: str, body: dict[str, Any]) -> Any:
    """The answer to a JSON body."""
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - given by us
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def main(address: str) -> int:
    """Play and print."""
    scores = []
    for scenario in Catalogue().scenarios.values():
        started = post(f"{address}/reset", {"scenario_id": scenario.id})
        handle = started["observation"]["episode_id"]
        for action in play_perfectly(scenario.incident, scenario.task):
            stepped = post(f"{address}/step", {"action": action.dump(), "episode_id": handle})
        scores.append(stepped["reward"] if stepped["done"] else 0.0)
        sys.stdout.write(f"{scenario.id}  {scores[-1]:.4f}\n")
    return 0 if scores and min(scores) == 1.0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7860"))
