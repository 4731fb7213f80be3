"""Proved draws that tests of several packages play, and how they play them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from env_core.episode import begin
from env_core.reference import Reference
from env_core.transition import step
from scenarios.parsing import parse_action
from scenarios.running.listed import list_proofs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from env_core.episode import Episode
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import Action

*_, ONE_STEP = min(
    (proof.lasts, difficulty, (seed, difficulty))
    for (seed, difficulty), (_, proof) in list_proofs().items()
    if {len(each) for each in proof.repairs} == {1}
)
"""Seed and difficulty of the shortest draw of which each accepted repair is one step."""
*_, SHORTEST = min(
    (proof.lasts, difficulty, (seed, difficulty)) for (seed, difficulty), (_, proof) in list_proofs().items()
)
"""Seed and difficulty of the draw whose repairs are judged soonest."""
WATCH = parse_action("execute_runbook_step", {"runbook_action": "watch"})


def name_repair(draw: tuple[int, int]) -> str:
    """The scenario that asks for the repair of a draw."""
    seed, difficulty = draw
    return f"GEN2-RP-D{difficulty}-{seed}"


def name_cause(draw: tuple[int, int]) -> str:
    """The scenario that asks for the root cause of a draw."""
    seed, difficulty = draw
    return f"GEN2-RCA-D{difficulty}-{seed}"


def play(scenario: Scenario, actions: Sequence[Action], **options: Any) -> Episode:
    """The episode after some actions; `options` are those of its reference."""
    episode = begin("e", Reference.to(scenario, **options), scenario)
    for action in actions:
        episode = step(episode, action).episode
    return episode
