"""Policies where nothing is to be repaired: what of the others can be played there, and who repairs all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.policies.case import Policy, act
from benchmarks.policies.cheating import CHEATS
from benchmarks.policies.honest import HONEST, answer_rightly
from scenarios.vocabulary import REMEDIATION_PLANNING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.policies.case import Case
    from scenarios.vocabulary import Action

_REPAIR = (REMEDIATION_PLANNING.id,)
_FLOOR = 0.20
_BY_NAME = {policy.name: policy for policy in CHEATS}
IDLE, CLAIMS = (_BY_NAME[name] for name in ("answers at once", "claims that it is over"))


def _look_half(case: Case) -> Iterator[Action]:
    yield from case.rest
    yield from case.looks[: len(case.looks) // 2]


def _look_and_block(case: Case) -> Iterator[Action]:
    """All that perfect play does, and in the end the users are shut out whose page it was."""
    yield from case.perfect[:-1]
    worth = max(case.incident.system.journeys, key=lambda journey: journey.worth)
    yield act("execute_runbook_step", runbook_action="block_client", target=worth.name)


def _play_nothing(case: Case) -> Iterator[Action]:
    yield from case.rest


CALM = (
    *HONEST,
    IDLE,
    CLAIMS,
    Policy("right answer, looks at the pager", _REPAIR, _play_nothing, answer_rightly, _FLOOR),
    Policy("right answer, half of the looks", _REPAIR, _look_half, answer_rightly, _FLOOR),
    Policy("perfect, then shuts users out", _REPAIR, _look_and_block, answer_rightly, _FLOOR),
    *(_BY_NAME[name] for name in ("rolls everything back", "restarts everything", "does everything to the alerted")),
)
"""In the mean each but the honest ones is to earn this or less."""
