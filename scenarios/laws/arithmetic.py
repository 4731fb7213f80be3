"""Law 7, of sources: what reaches bytes is made of + − × ÷ √, comparison and table look-up."""

from __future__ import annotations

import ast
from pathlib import Path

import scenarios

ROOMS = tuple(Path(scenarios.__file__).parent / name for name in ("world", "telemetry"))
"""Where the rules of arithmetic hold."""
_OF_NUMPY = (
    *("sum", "nansum", "mean", "average", "median", "std", "var", "dot", "vdot", "inner", "outer", "matmul", "einsum"),
    *("tensordot", "cumsum", "cumprod", "prod", "trapezoid", "convolve", "interp", "quantile", "percentile"),
    *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "power", "float_power", "sin", "cos", "tan", "tanh"),
    *("hypot", "linalg", "fft", "random"),
)
_OF_MATH = (
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "pow",
    "sin",
    "cos",
    "tan",
    "tanh",
    "gamma",
    "fsum",
    "dist",
)


def list_sources() -> list[Path]:
    """The files in which the rules hold."""
    return [path for room in ROOMS for path in sorted(room.rglob("*.py"))]


def find_forbidden(source: str) -> list[str]:
    """What a source does that does not give the same bytes everywhere, with its lines."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.BinOp(op=ast.Pow() | ast.MatMult() as op) | ast.AugAssign(op=ast.Pow() | ast.MatMult() as op):
                found.append(f"{node.lineno}: {type(op).__name__}")
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=attribute) if attribute in _OF_NUMPY:
                found.append(f"{node.lineno}: np.{attribute}")
            case ast.Attribute(value=ast.Name(id="math"), attr=attribute) if attribute in _OF_MATH:
                found.append(f"{node.lineno}: math.{attribute}")
            case ast.Attribute(attr="reduce" | "accumulate" | "reduceat"):
                found.append(f"{node.lineno}: {node.attr}")
            case ast.Call(func=ast.Name(id="sum" | "pow" as name)):
                found.append(f"{node.lineno}: {name}")
            case ast.Call(func=ast.Attribute(attr="sum" | "mean" | "dot" | "prod" | "cumsum" | "std" as name)):
                found.append(f"{node.lineno}: .{name}()")
            case ast.ImportFrom(module="math" | "numpy", names=names):
                found += [f"{node.lineno}: {n.name}" for n in names if n.name in (*_OF_NUMPY, *_OF_MATH)]
            case _:
                pass
    return found
