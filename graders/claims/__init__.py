"""What a summary says was done: which remediations it states, and which it claims."""

from __future__ import annotations

from graders.claims.claiming import find_claims, states, tells
from graders.claims.told import Told, find_told_of_pronouns

__all__ = ["Told", "find_claims", "find_told_of_pronouns", "states", "tells"]
