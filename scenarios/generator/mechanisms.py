"""Mechanisms: how a fault acts on the node it strikes, minute by minute. Families choose one and give its numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenarios.generator.family import MechanismName


class Strain(NamedTuple):
    """What a node is under, as its callers and its metrics feel it.

    `errors` is the share of its answers that fail, `factor` how many times longer answers take, `load` how many times
    the usual load arrives, `lost` the share of its throughput that is gone, `level` from 0 to 1 how far the metrics of
    the family have moved from their normal values. `behind` is how many times the usual load its callers put on their
    stores, since it does not have what they ask for.
    """

    errors: float = 0.0
    factor: float = 1.0
    load: float = 1.0
    lost: float = 0.0
    level: float = 0.0
    behind: float = 1.0


CALM = Strain()


@dataclass(frozen=True, slots=True)
class Mechanism:
    """How a fault acts. `numbers` are what it asks of a family; times are in minutes."""

    numbers: frozenset[str]
    acts: Callable[[Mapping[str, float], float, float], Strain]


def _ramp(minute: float, length: float) -> float:
    """From 0 at the onset to 1 after `length` minutes."""
    if minute < 0:
        return 0.0
    return 1.0 if length <= 0 else min(1.0, (minute + 1) / (length + 1))


def _bad_change(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """A share of the requests meets the defect, more as the change rolls out."""
    level = _ramp(minute, numbers["ramp"]) * strength
    return Strain(errors=numbers["share"] * level, level=level)


def _exhaustion(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Something bounded fills up. As long as there is room nobody notices; then requests wait and are refused."""
    level = _ramp(minute, numbers["fill"])
    full = max(0.0, (level - 0.7) / 0.3) * strength
    return Strain(numbers["share"] * full, 1 + (numbers["factor"] - 1) * full, level=level * (0.4 + 0.6 * strength))


def _leak(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Memory climbs until the process is killed, and climbs again: requests slow down, and fail around each death."""
    level = _ramp(minute, numbers["fill"])
    dying = 0.55 + 0.45 * (math.sin(minute * 1.3) > 0)
    hurt = max(0.0, (level - 0.6) / 0.4) * strength
    return Strain(
        numbers["share"] * hurt * dying, 1 + (numbers["factor"] - 1) * hurt, level=level * (0.3 + 0.7 * strength)
    )


def _latency(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Every answer takes longer."""
    level = _ramp(minute, numbers["ramp"]) * strength
    return Strain(factor=1 + (numbers["factor"] - 1) * level, level=level)


def _loss(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Packets are lost: some calls never end, the others wait for what is sent again."""
    level = _ramp(minute, numbers["ramp"]) * strength
    lost = numbers["share"] * level
    return Strain(errors=lost, factor=1 + 4 * lost, level=level)


def _refusal(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Sessions are refused at once; those that are open live on, so that the share grows."""
    level = _ramp(minute, numbers["ramp"]) * strength
    return Strain(errors=numbers["share"] * level, level=level)


def _backlog(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Work is done more slowly than it comes in."""
    level = _ramp(minute, numbers["ramp"]) * strength
    return Strain(factor=1 + 2 * level, lost=numbers["slowdown"] * level, level=level)


def _staleness(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Answers come, and a share of them is out of date and of no use."""
    level = _ramp(minute, numbers["ramp"]) * strength
    return Strain(errors=numbers["share"] * level, level=level)


def _contention(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Work waits for other work; what waits too long fails. It comes in waves."""
    level = _ramp(minute, numbers["ramp"]) * strength
    wave = 0.9 + 0.1 * math.sin(minute * 0.9)
    return Strain(numbers["share"] * level, 1 + (numbers["factor"] - 1) * level * wave, level=level * wave)


def _amplification(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Load makes failures, failures make load: it keeps itself going after its trigger has passed."""
    level = _ramp(minute, numbers["ramp"]) * strength
    return Strain(
        numbers["share"] * level, 1 + (numbers["factor"] - 1) * level, 1 + (numbers["load"] - 1) * level, level=level
    )


def _withdrawal(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """A way there is gone: what would have taken it finds nobody."""
    level = _ramp(minute, numbers["ramp"]) * strength
    return Strain(errors=numbers["share"] * level, level=level)


def _capacity_loss(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Less of it is left than its load needs: it slows down, then sheds what it cannot take."""
    level = _ramp(minute, numbers["ramp"]) * strength
    lost = numbers["lost"] * level
    return Strain(max(0.0, lost - 0.25) * 0.9, 1 + 9 * lost, lost=lost, level=level)


def _misses(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """What a cache kept away reaches what stands behind it, and each answer from there is written to the cache."""
    level = _ramp(minute, numbers["ramp"]) * strength
    missed = (numbers["load"] - 1) * level
    return Strain(
        max(0.0, missed - 1.5) * 0.05, 1 + missed * 1.4, 1 + _WRITTEN * level, level=level, behind=1 + _READ * missed
    )


_WRITTEN = 0.7
"""How much more a cache is asked for that misses most reads."""
_READ = 0.4
"""Of what a cache misses, what goes to the stores that have metrics of their own here."""


def _throttling(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Calls above a limit are turned away."""
    level = _ramp(minute, numbers["ramp"]) * strength
    return Strain(errors=numbers["share"] * level, level=level)


def _flood(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Far more comes in than usual."""
    level = _ramp(minute, numbers["ramp"]) * strength
    load = 1 + (numbers["load"] - 1) * level
    return Strain(min(0.6, max(0.0, load - 1.6) * 0.12), 1 + (load - 1) * 1.6, load, level=level)


def _false_alarm(numbers: Mapping[str, float], minute: float, strength: float) -> Strain:
    """Nothing happens to anybody; what the alert watches moves now and then."""
    if minute < 0:
        return CALM
    return Strain(level=strength if (minute // numbers["flaps"]) % 2 == 0 else 0.3 * strength)


def _asks(acts: Callable[[Mapping[str, float], float, float], Strain], *numbers: str) -> Mechanism:
    return Mechanism(frozenset(numbers), acts)


MECHANISMS: dict[MechanismName, Mechanism] = {
    "bad_change": _asks(_bad_change, "share", "ramp"),
    "exhaustion": _asks(_exhaustion, "share", "fill", "factor"),
    "leak": _asks(_leak, "share", "fill", "factor"),
    "latency": _asks(_latency, "factor", "ramp"),
    "loss": _asks(_loss, "share", "ramp"),
    "refusal": _asks(_refusal, "share", "ramp"),
    "backlog": _asks(_backlog, "slowdown", "ramp"),
    "staleness": _asks(_staleness, "share", "ramp"),
    "contention": _asks(_contention, "factor", "share", "ramp"),
    "amplification": _asks(_amplification, "load", "share", "factor", "ramp"),
    "withdrawal": _asks(_withdrawal, "share", "ramp"),
    "capacity_loss": _asks(_capacity_loss, "lost", "ramp"),
    "misses": _asks(_misses, "load", "ramp"),
    "throttling": _asks(_throttling, "share", "ramp"),
    "flood": _asks(_flood, "load", "ramp"),
    "false_alarm": _asks(_false_alarm, "flaps"),
}
