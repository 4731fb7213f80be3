"""What is drawn of a seed is the same everywhere, and nothing like what is drawn of the next."""

from __future__ import annotations

import pytest

from scenarios.drawing import draw


def test_a_seed_gives_the_same_again() -> None:
    first, second = draw(11, 3), draw(11, 3)
    assert first.system.model_dump_json() == second.system.model_dump_json()
    assert first.fault == second.fault


def test_a_difficulty_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="from 1 to 5"):
        draw(1, 6)
