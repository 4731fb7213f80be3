"""The curriculum: difficulty follows the score."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cloud_incident
from env_core.curriculum import Curriculum


def test_up_down_and_not_before_the_window_is_full() -> None:
    curriculum = Curriculum(window=3)
    assert [curriculum.record(score) for score in (1, 1, 1, 1, 1, 0.6, 1, 0.5)] == [1, 1, 2, 2, 2, 3, 3, 3]
    assert [curriculum.record(0.1) for _ in range(6)] == [3, 2, 2, 2, 1, 1]


@given(scores=st.lists(st.floats(0, 1), max_size=200), window=st.integers(1, 10))
def test_it_stays_in_range_moves_by_one_and_is_the_same_again(scores: list[float], window: int) -> None:
    one, other = Curriculum(3, window=window), Curriculum(3, window=window)
    path = [one.record(score) for score in scores]
    assert path == [other.record(score) for score in scores]
    assert set(path) <= {1, 2, 3, 4, 5}
    assert all(abs(after - before) <= 1 for before, after in zip([3, *path], path, strict=False))


@pytest.mark.parametrize("options", [{"difficulty": 0}, {"window": 0}, {"up": 0.3, "down": 0.3}])
def test_what_makes_no_curriculum(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not"):
        Curriculum(**options)


def test_the_facade_has_it() -> None:
    assert cloud_incident.Curriculum is Curriculum
    assert {getattr(cloud_incident, name) for name in cloud_incident.__all__}
    with pytest.raises(AttributeError):
        _ = cloud_incident.nothing  # type: ignore[attr-defined]
