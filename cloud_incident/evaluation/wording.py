"""How tables and reports word numbers and names."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_incident.evaluation.comparison import Comparison
    from cloud_incident.evaluation.intervals import Estimate

_NOT_TEXT = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def plain(text: str) -> str:
    """A text on one line, free of whatever would steer a terminal."""
    kept = "".join(" " if unicodedata.category(letter) in _NOT_TEXT else letter for letter in text)
    return " ".join(kept.split())


def shortened(text: str, limit: int) -> str:
    """At most so many characters, with an ellipsis where some are missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    return "–" if value is None else f"{value + 0.0:+.3f}"


def interval(estimate: Estimate | None) -> str:
    """Both ends; a dash where one draw says nothing of the spread."""
    return "–" if estimate is None or not estimate.spread_known else f"{estimate.low:.3f} to {estimate.high:.3f}"


def signed_interval(estimate: Estimate) -> str:
    return f"{signed(estimate.low)} to {signed(estimate.high)}" if estimate.spread_known else "–"


def share(value: float) -> str:
    return f"{100 * value:.0f} %"


def amount(value: float) -> str:
    """A mean of steps or tokens: one decimal while it is small."""
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def tokens(value: float) -> str:
    return "–" if value == 0 else amount(value)


def seconds(value: float) -> str:
    return f"{1000 * value:.1f} ms" if value < 1 else f"{value:,.1f} s"


def dollars(value: float) -> str:
    return "–" if value == 0 else f"${value:,.4f}" if value < 1 else f"${value:,.2f}"


def p_value(comparison: Comparison) -> str:
    value = "< 0.001" if comparison.p_value < 0.001 else f"= {comparison.p_value:.3f}"
    return f"p {value} ({'exact' if comparison.exact else 'sampled'} sign-flip test)"


def listed(names: tuple[str, ...], most: int = 6) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def action(taken: Mapping[str, Any]) -> str:
    """An action as a call."""
    parameters = ", ".join(f"{name}={value}" for name, value in taken["parameters"].items())
    return f"{taken['action_type']}({parameters})"
