"""Numbers are printed with digits that mean something."""

from __future__ import annotations

import pytest

from scenarios.telemetry.numbers import format_age, format_percent, format_seconds, format_sensibly


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-1e-9, "0"),
        (1e-9, "0"),
        (0.00299, "0.00299"),
        (0.12345, "0.123"),
        (3.14159, "3.14"),
        (27.183, "27.2"),
        (612408913.4, "612408913"),
        (-27.183, "-27.2"),
    ],
)
def test_a_number_has_three_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert format_sensibly(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1e-6, "under 0.1 %"),
        (0.0123, "1.2 %"),
        (0.5, "50 %"),
        (0.994, "99.4 %"),
        (0.99999, "over 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_only_all_is_a_hundred_percent(share: float, text: str) -> None:
    assert format_percent(share) == text


def test_times_are_short_or_long() -> None:
    assert [format_seconds(value) for value in (0.0123, 3.0)] == ["12.3 ms", "3.0 s"]
    ages = [format_age(value) for value in (59, 23 * 60, 3600 * 5 + 120, 86400 * 6 + 3600)]
    assert ages == ["under 1 min", "23 min", "5 h 2 min", "6 d 1 h"]
