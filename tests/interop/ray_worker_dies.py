"""An episode that ends its Ray worker: it failed and has no score, all others are measured, and a rerun plays it.

Usage: python -m tests.interop.ray_worker_dies; it needs Ray.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.oracle import Oracle
from cloud_incident.evaluation.running import Attempt, Evaluation, read_results, read_trajectories, run_evaluation
from cloud_incident.evaluation.statistics import summarise

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_incident.evaluation.agents import Agent, Decision, Seat
    from env_core.observation import Observation

DEADLY = "DEADLY"
"""The variable that names a file; while it exists, the agent ends its process in one episode."""


class Mortal(Oracle):
    """Plays perfectly, and ends its process in one episode while it is told to."""

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        doomed = Attempt("oracle", "RP-003", repeat=1)
        self._dies = seat.agent_seed == doomed.agent_seed and Path(os.environ[DEADLY]).exists()

    async def decide(self, shown: Observation) -> Decision:
        if self._dies:
            os._exit(1)
        return await super().decide(shown)


class MortalEvaluation(Evaluation):
    """An evaluation whose oracle is mortal."""

    def find_agents(self) -> dict[str, Callable[[Seat], Agent]]:
        return {"oracle": Mortal}


def main() -> None:
    """Play twice, and hold what was found against what is right."""
    with tempfile.TemporaryDirectory() as directory:
        path, told = Path(directory, "run.jsonl"), Path(directory, "die")
        told.touch()
        os.environ[DEADLY] = str(told)
        asked = MortalEvaluation(agents=("oracle",), backend="ray", repeats=4)
        first = run_evaluation(asked, path)
        found = summarise(read_results(path))
        _hold((first.failed, first.unplayed) == (1, 0), f"first {first}")
        _hold(found.agents[0].score.mean == 1.0, "a failed episode is in the mean")
        _hold(found.episodes + len(found.failures) == 36, "episodes were lost")
        _hold("the Ray worker failed" in found.failures[0].reason, found.failures[0].reason)
        told.unlink()
        second = run_evaluation(asked, path)
        _hold(second.complete, f"then {second}")
        _hold(summarise(read_results(path)).episodes == 36, "episodes were not played again")
        _hold(len(list(read_trajectories(path))) == 37, "episodes were played twice")
        sys.stdout.write(
            "an episode that ended its Ray worker failed, 35 were measured, and the next run measured it\n"
        )


def _hold(condition: bool, otherwise: str) -> None:
    if not condition:
        raise SystemExit(otherwise)


if __name__ == "__main__":
    main()
