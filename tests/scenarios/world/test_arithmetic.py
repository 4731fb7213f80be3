"""What reaches bytes is made of + − × ÷ √, comparison and table look-up: all else differs between processors."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import scenarios

ROOMS = [Path(scenarios.__file__).parent / name for name in ("world", "telemetry")]
OF_NUMPY = (
    *("sum", "nansum", "mean", "average", "median", "std", "var", "dot", "vdot", "inner", "outer", "matmul", "einsum"),
    *("tensordot", "cumsum", "cumprod", "prod", "trapezoid", "convolve", "interp", "quantile", "percentile"),
    *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "power", "float_power", "sin", "cos", "tan", "tanh"),
    *("hypot", "linalg", "fft", "random"),
)
OF_MATH = ("exp", "expm1", "log", "log1p", "log2", "log10", "pow", "sin", "cos", "tan", "tanh", "gamma", "fsum", "dist")


def find_forbidden(source: str) -> list[str]:
    """What a source does that does not give the same bytes everywhere, with its lines."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.BinOp(op=ast.Pow() | ast.MatMult() as op) | ast.AugAssign(op=ast.Pow() | ast.MatMult() as op):
                found.append(f"{node.lineno}: {type(op).__name__}")
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=attribute) if attribute in OF_NUMPY:
                found.append(f"{node.lineno}: np.{attribute}")
            case ast.Attribute(value=ast.Name(id="math"), attr=attribute) if attribute in OF_MATH:
                found.append(f"{node.lineno}: math.{attribute}")
            case ast.Attribute(attr="reduce" | "accumulate" | "reduceat"):
                found.append(f"{node.lineno}: {node.attr}")
            case ast.Call(func=ast.Name(id="sum" | "pow" as name)):
                found.append(f"{node.lineno}: {name}")
            case ast.Call(func=ast.Attribute(attr="sum" | "mean" | "dot" | "prod" | "cumsum" | "std" as name)):
                found.append(f"{node.lineno}: .{name}()")
            case ast.ImportFrom(module="math" | "numpy", names=names):
                found += [f"{node.lineno}: {n.name}" for n in names if n.name in (*OF_NUMPY, *OF_MATH)]
            case _:
                pass
    return found


@pytest.mark.parametrize("path", [p for room in ROOMS for p in sorted(room.rglob("*.py"))], ids=lambda p: p.name)
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
