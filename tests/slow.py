"""What takes long: marked `slow`, left out of a plain `scripts/test`, and run by `scripts/test --slow`, as CI does.

`scripts/test --wide` runs the same tests on larger samples.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterable


EXAMPLES = int(os.environ.get("TEST_EXAMPLES", "20"))
"""How many examples hypothesis tries of a test that does not say it."""

WIDE = 100
"""As many as that with `scripts/test --wide`."""


def load_profile() -> None:
    """Let hypothesis try so many examples, the same ones in every run."""
    settings.register_profile(
        "steady",
        deadline=None,
        derandomize=True,
        max_examples=EXAMPLES,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("steady")


def count_examples(wide: int, least: int = 20) -> int:
    """The examples of a test that takes `wide` in the wide run: a part of them elsewhere, but `least` or more."""
    return max(min(wide, least), wide * settings().max_examples // WIDE)


def mark_slow_after(count: int, cases: Iterable[Any]) -> list[Any]:
    """Cases to parametrize a test by. All beyond the first `count` are marked slow."""
    return [
        case
        if number < count
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
        for number, case in enumerate(cases)
    ]
