"""clear_cache: empty the cache of one service."""

from __future__ import annotations

from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import OnService

CLEAR_CACHE = Remediation(
    name="clear_cache",
    title="Clear cache",
    description="Empty the cache of one service.",
    parameters=OnService,
    deed="cleared {target}",
)
