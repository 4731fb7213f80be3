"""What takes long: marked `slow`, left out of a plain `scripts/test`, and run by `scripts/test --slow`, as CI does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable


def mark_slow_after(count: int, cases: Iterable[Any]) -> list[Any]:
    """Cases to parametrize a test by. All beyond the first `count` are marked slow."""
    return [
        case
        if number < count
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
        for number, case in enumerate(cases)
    ]
