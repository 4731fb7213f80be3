"""What reaches bytes is made of + − × ÷ √, comparison and table look-up: all else differs between processors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scenarios.laws import find_forbidden, list_sources

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", list_sources(), ids=lambda p: p.name)
def test_a_running_system_uses_arithmetic_that_is_the_same_everywhere(path: Path) -> None:
    assert find_forbidden(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        *("np.sum(a)", "a.sum()", "np.mean(a)", "np.dot(a, b)", "np.einsum('i,i', a, b)", "np.cumsum(a)", "np.prod(a)"),
        *("np.exp(a)", "np.log(a)", "np.power(a, 2)", "np.sin(a)", "a ** 2", "a **= 2", "a @ b", "math.exp(a)"),
        *("math.log(a)", "math.pow(a, 2)", "sum(a)", "pow(a, 2)", "np.add.reduce(a)", "from math import exp"),
    ],
)
def test_what_differs_between_processors_is_found(line: str) -> None:
    assert find_forbidden(line)


@pytest.mark.parametrize("line", ["np.bincount(a, weights=b)", "np.sqrt(a)", "a * b + c", "np.minimum(a, b)"])
def test_what_is_the_same_everywhere_is_let_be(line: str) -> None:
    assert find_forbidden(line) == []
