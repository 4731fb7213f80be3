"""Combinations of fault family and line of business that are kept for the split out of distribution.

They are those of generator 1, as far as that has the family: an agent trained on its other splits meets none of them.
"""

from __future__ import annotations

import hashlib

_ONE_IN = 6


def is_kept_apart(family: str, business: str) -> bool:
    """Whether a family strikes a line of business out of distribution, and nowhere else."""
    return hashlib.sha256(f"{family}:{business}".encode()).digest()[0] % _ONE_IN == 0
