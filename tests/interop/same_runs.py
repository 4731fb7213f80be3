"""Two runs of the same evaluation hold the same episodes: every action, all evidence, every reward and score."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.running import read_trajectories

if TYPE_CHECKING:
    from cloud_incident.evaluation.running import Trajectory


def played(trajectory: Trajectory) -> dict[str, Any]:
    """A trajectory without the time that it took, and when it was."""
    steps = [{**step, "seconds": 0} for step in trajectory["steps"]]
    return {**trajectory, "seconds": 0, "played_at": "", "steps": steps}


def main(first: str, second: str) -> None:
    """Compare and say so."""
    one, two = ({run["key"]: played(run) for run in read_trajectories(Path(path))} for path in (first, second))
    if one != two or not one:
        raise SystemExit(f"{first} and {second} differ")
    print(f"{Path(first).stem} and {Path(second).stem}: the same {len(one)} episodes")


main(*sys.argv[1:])
