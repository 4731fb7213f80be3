"""Numbers as a dashboard prints them: digits that mean something, and no −0."""

from __future__ import annotations

_PLACES = ((100.0, 0), (10.0, 1), (1.0, 2), (0.1, 3), (0.01, 4), (0.0, 5))
_NOTHING = 5e-5
"""A size below this is printed as 0."""


def round_sensibly(value: float) -> float:
    """A number with three significant digits, or all those before the point; five places at most."""
    size = abs(value)
    if size < _NOTHING:
        return 0.0
    return round(value, next(places for least, places in _PLACES if size >= least))


def format_sensibly(value: float) -> str:
    """The same as text."""
    return f"{round_sensibly(value):.10g}"


def format_seconds(seconds: float) -> str:
    """A short time as `12 ms` or `3.0 s`."""
    if seconds >= 1.0:
        return f"{seconds:.1f} s"
    return f"{format_sensibly(seconds * 1000.0)} ms"


def format_percent(share: float) -> str:
    """A share as `97 %`. Only all is 100 %, only nothing is 0 %."""
    percent = share * 100.0
    if percent >= 99.95 and share < 1.0 - 1e-9:
        return "over 99.9 %"
    if 0.0 < percent < 0.05:
        return "under 0.1 %"
    return f"{percent:.1f} %" if percent < 10.0 or percent > 99.0 else f"{percent:.0f} %"


def format_age(seconds: float) -> str:
    """A long time as `6 d 1 h`, `23 min` or `under 1 min`."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 24:
        return f"{hours} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"
