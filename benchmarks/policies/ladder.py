"""Agents of the evaluation as policies: what they earn beside the honest searcher, who knows what the proofs know."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio

from benchmarks.policies.case import Policy
from benchmarks.policies.honest import BOTH
from cloud_incident.evaluation.agents.agent import Seat
from cloud_incident.evaluation.agents.registry import AGENTS
from env_core.observation import observe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.policies.case import Case, Sent


_MOST_DECISIONS = 100
"""Refused actions among them, which cost no step."""


def _let_play(name: str, case: Case) -> Iterator[Sent]:
    """The actions of an agent, each on what it is shown, its answer last."""
    agent = AGENTS[name](Seat(case.scenario, case.seed))
    for _ in range(_MOST_DECISIONS):
        if case.episode is not None:
            yield anyio.run(agent.decide, observe(case.episode)).action


LADDER = tuple(Policy(name, BOTH, partial(_let_play, name), None) for name in ("responder", "novice", "random"))
"""From the top down: each is to earn less than the one before, and the first less than the searcher who takes logs
first. The one who takes looks in any order has too few steps for it, and earns less than the responder."""
