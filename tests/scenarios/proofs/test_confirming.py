"""What an episode confirms of a repair: it lasts at the pace of who carries it out, and harms nobody without need."""

from __future__ import annotations

import pytest

from scenarios.drawing import draw
from scenarios.proofs.confirming import list_confirmed
from scenarios.running.listed import list_proofs
from scenarios.world import Run

PURGE, INDEX = ("purge_queue", "posts-events"), ("rebuild_indexes", "core-store")
ADDED, SCALED, PAUSED = ("raise_slots", "nearby"), ("scale_service", "nearby"), ("pause_job", "visitor-profiles")
WARMED = ("warm_cache", "session-cache")
LOSS = 1.0
"""Minutes that users may lose."""


def look_first(seed: int, difficulty: int, looks: int) -> tuple[Run, int]:
    """A listed draw, and its background, after some looks, and how long a repair of it has to last."""
    proof, drawn = list_proofs()[seed, difficulty].proof, draw(seed, difficulty)
    pair = Run(drawn.system, drawn.background)
    pair.advance(proof.first_look + 60 * looks)
    return pair, proof.lasts


def test_messages_are_lost_only_where_that_is_needed() -> None:
    repairs = [(PURGE, INDEX), (INDEX, PURGE)]
    early, lasts = look_first(844424930137141, 2, 2)
    # The indexes alone mend it then: after them nothing is left that a purge would help.
    assert list_confirmed(early, [*repairs, (INDEX,)], lasts, LOSS) == {(PURGE, INDEX), (INDEX,)}
    early.advance(8 * 60)
    assert list_confirmed(early, [*repairs, (INDEX,)], lasts, LOSS) == {*repairs}


@pytest.mark.slow
def test_nothing_harms_users_without_need() -> None:
    pair, lasts = look_first(281474976715822, 2, 3)
    needed, needless = (ADDED, WARMED, PAUSED), (ADDED, SCALED, PAUSED)
    assert list_confirmed(pair, [needed, needless], lasts, LOSS) == {needed}
    assert list_confirmed(pair, [needless], lasts, 100.0) == {needless}


def test_no_repairs_are_confirmed_of_none() -> None:
    pair, lasts = look_first(844424930137141, 2, 0)
    assert list_confirmed(pair, [], lasts, LOSS) == set()
