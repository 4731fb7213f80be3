"""What was known of a cause and how many steps that took, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graders.reasons import Reason, give_reason, to_percent, write_share
from graders.score import DECIMALS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from graders.conduct import Conduct

JUDGED_BY_LOOKS = "What is known is judged by the explanations of the alert that your looks have ruled out"
"""What stands for the evidence on incidents with a proof, in words."""

_WHEN = {
    "evidence_seen": "before the answer",
    "evidence_before_any_fix": "before anything was changed",
    "evidence_before_effective_fix": "before the first fix that worked",
    "evidence_without_fix": "before the answer",
}
"""Until when evidence counts, by the reason that says it of a certificate."""


def explain_known(conduct: Conduct, code: str) -> Reason:
    """How much was known: as the share of a certificate, or as the explanations that are left."""
    known = conduct.known
    percent = to_percent(known.share)
    if known.causes:
        (left, start), (other_left, other_start) = known.causes
        counts = {"left": left, "start": start, "other_left": other_left, "other_start": other_start}
        return give_reason("explanations_left_of_two", **counts, percent=percent)
    if known.start:
        return give_reason("explanations_left", when=_WHEN[code], left=known.left, start=known.start, percent=percent)
    return give_reason(code, percent=percent)


def explain_product(conduct: Conduct, most: Fraction, points: Fraction, *factors: str) -> Iterator[Reason]:
    """How points follow from their factors, in numbers: where explanations are counted and not all points are given.

    A factor is written as its number and, in brackets, what it stands for.
    """
    if conduct.known.start and points < most:
        written = " × ".join((f"{float(most):.2f}", *factors))
        yield give_reason("product", factors=written, points=f"{float(points):.{DECIMALS}f}")


def write_factor(share: Fraction, of: str) -> str:
    """A factor as a product tells it."""
    return f"{write_share(share)} ({of})"


def write_known(conduct: Conduct) -> str:
    """How much was known, as a factor."""
    return write_factor(conduct.evidence, "known")


def write_steps(conduct: Conduct) -> str:
    """What the steps that were used leave, as a factor."""
    return write_factor(conduct.efficiency, "steps")


def write_repaired(conduct: Conduct) -> tuple[str, ...]:
    """What was repaired, and what wrong remediations leave of it, as factors."""
    saved = write_factor(conduct.achieved.share, "saved")
    return (saved,) if conduct.kept == 1 else (saved, write_factor(conduct.kept, "left by wrong remediations"))


def explain_steps(conduct: Conduct, code: str) -> tuple[Reason, ...]:
    """How many steps were used, and what those beyond the ones that are free cost."""
    pace, percent = conduct.pace, to_percent(conduct.efficiency)
    if not conduct.known.start:
        more = {} if code == "steps_taken" else {"percent": percent}
        return (give_reason(code, steps=conduct.steps, fewest=pace.fewest, **more),)
    steps = give_reason("steps_beyond_free", steps=conduct.steps, free=pace.free, decay=pace.decay, percent=percent)
    return (steps,) if code == "steps_weighed" else (steps, explain_known(conduct, "evidence_seen"))
