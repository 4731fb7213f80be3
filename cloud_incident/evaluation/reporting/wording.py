"""How tables and reports write numbers and names."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_incident.evaluation.statistics import Comparison, Estimate

MISSING = "–"
"""Stands where there is no number."""

_NOT_TEXT = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of characters that could steer a terminal or break a line."""

CALM = "Nothing to repair"
"""What scenarios of remediation_planning are called in which nothing was to be repaired: they are told apart too."""

_MOST_NAMES = 6


def flatten_text(text: str) -> str:
    """The text on one line, without characters that could steer a terminal."""
    kept = "".join(" " if unicodedata.category(letter) in _NOT_TEXT else letter for letter in text)
    return " ".join(kept.split())


def shorten_text(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where some are missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def format_score(value: float | None) -> str:
    """A score with three decimals; a dash for None."""
    return MISSING if value is None else f"{value:.3f}"


def format_difference(value: float | None) -> str:
    """A difference of scores with its sign and three decimals; a dash for None."""
    return MISSING if value is None else f"{value + 0.0:+.3f}"


def format_interval(estimate: Estimate | None) -> str:
    """Both ends of the interval of a score; a dash where the spread is not known."""
    if estimate is None or not estimate.spread_known:
        return MISSING
    return f"{estimate.low:.3f} to {estimate.high:.3f}"


def format_difference_interval(estimate: Estimate) -> str:
    """Both ends of the interval of a difference; a dash where the spread is not known."""
    if not estimate.spread_known:
        return MISSING
    return f"{format_difference(estimate.low)} to {format_difference(estimate.high)}"


def format_share(value: float) -> str:
    """A share of 0.0 to 1.0 in percent."""
    return f"{100 * value:.0f} %"


def format_amount(value: float) -> str:
    """A mean of steps or tokens, with one decimal below 100."""
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def format_tokens(value: float) -> str:
    """A mean of tokens; a dash for 0."""
    return MISSING if value == 0 else format_amount(value)


def format_seconds(value: float) -> str:
    """A time in seconds, or in milliseconds below one second."""
    return f"{1000 * value:.1f} ms" if value < 1 else f"{value:,.1f} s"


def format_dollars(value: float) -> str:
    """US dollars, with four decimals below one dollar; a dash for 0."""
    return MISSING if value == 0 else f"${value:,.4f}" if value < 1 else f"${value:,.2f}"


def format_p_value(comparison: Comparison) -> str:
    """The p-value of a comparison and how it was computed."""
    value = "< 0.001" if comparison.p_value < 0.001 else f"= {comparison.p_value:.3f}"
    return f"p {value} ({'exact' if comparison.exact else 'sampled'} sign-flip test)"


def list_names(names: tuple[str, ...], most: int = _MOST_NAMES) -> str:
    """The first `most` names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def format_count(number: int, thing: str) -> str:
    """A number of things; the plural is made with an s."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def format_action(taken: Mapping[str, Any]) -> str:
    """An action as a function call."""
    parameters = ", ".join(f"{name}={value}" for name, value in taken["parameters"].items())
    return f"{taken['action_type']}({parameters})"
