"""What takes long: marked `slow`, left out of a plain `scripts/test`, and run by `scripts/test --slow`, as CI does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterable


EXAMPLES = {"steady": 20, "wide": 100}
"""How many examples hypothesis tries of a test that does not say it: by default, and where slow tests are run."""


def load_profile(name: str) -> None:
    """Let hypothesis try as many examples as a profile says, the same ones in every run."""
    settings.register_profile(
        name,
        deadline=None,
        derandomize=True,
        max_examples=EXAMPLES[name],
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile(name)


def count_examples(wide: int) -> int:
    """The examples that a test tries which takes `wide` where slow tests are run; 20 or more by default."""
    return max(min(wide, 20), wide * settings().max_examples // EXAMPLES["wide"])


def mark_slow_after(count: int, cases: Iterable[Any]) -> list[Any]:
    """Cases to parametrize a test by. All beyond the first `count` are marked slow."""
    return [
        case
        if number < count
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
        for number, case in enumerate(cases)
    ]
