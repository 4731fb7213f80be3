"""The clock of a system: seconds of its run and moments in UTC, one as the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.world import System
    from scenarios.world.layout import Indices

_DAY = 86_400_000
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Clock:
    """Reads seconds of the run of a system as moments, and back."""

    def __init__(self, system: System) -> None:
        self._begins = system.begins.astimezone(UTC)

    def get_moment(self, seconds: float) -> str:
        """A second of the run as evidence writes moments: `2026-03-03T14:02Z`, with seconds if they are not 0."""
        return format_moment(self._find(seconds))

    def get_minute(self, seconds: float) -> str:
        """The minute in which a second of the run is: `2026-03-03T14:02Z`."""
        return format_minute(self._find(seconds))

    def get_epoch(self, seconds: float) -> int:
        """A second of the run as seconds since 1970."""
        return int(self._find(seconds).timestamp())

    def get_time_of_day(self, seconds: float) -> str:
        """A second of the run as `14:02`, with seconds if they are not 0, and with the day if it is another."""
        moment = self._find(seconds)
        text = moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
        return text if moment.date() == self._begins.date() else f"{_MONTHS[moment.month - 1]} {moment.day} {text}"

    def get_time_of_day_ms(self, ms: Indices) -> tuple[Indices, Indices]:
        """Milliseconds of the run as those since midnight, and on which day after that of the begin."""
        begins = self._begins
        total = ms + ((begins.hour * 60 + begins.minute) * 60 + begins.second) * 1000
        return total % _DAY, total // _DAY

    def frame_day(self, day: int, style: str) -> tuple[str, str]:
        """What stands before and after the time of day in a line of a day after that of the begin."""
        date = self._begins + timedelta(days=day)
        month = _MONTHS[date.month - 1]
        if style == "syslog":
            return f"{month} {date.day:02} ", ""
        if style == "redis":
            return f"{date.day:02} {month} {date.year} ", ""
        text = f"{date.year}-{date.month:02}-{date.day:02}"
        if style == "nginx":
            return f"{text.replace('-', '/')} ", ""
        return (f"{text} ", "") if style == "spaced" else (f"{text}T", "Z")

    def _find(self, seconds: float) -> datetime:
        return self._begins + timedelta(seconds=int(seconds))


def format_moment(moment: datetime) -> str:
    """A moment as evidence writes it."""
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ")


def format_minute(moment: datetime) -> str:
    """A moment as a calendar writes it, to the minute."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
