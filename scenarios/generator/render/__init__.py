"""Rendering: what the diagnostics show of a scene. One module per diagnostic, each from the same simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.generator.render.changes import deploys
from scenarios.generator.render.logs import logs
from scenarios.generator.render.metrics import metrics
from scenarios.generator.render.paths import dependencies
from scenarios.generator.render.status import status
from scenarios.vocabulary import (
    CHECK_DEPENDENCIES,
    CHECK_METRICS,
    CHECK_RECENT_DEPLOYS,
    CHECK_SERVICE_STATUS,
    DIAGNOSTICS,
    QUERY_LOGS,
    Attachments,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.evidence import Evidence
    from scenarios.generator.scene import Scene, View
    from scenarios.vocabulary import Diagnostic

RENDERERS: Attachments[Diagnostic, Callable[[Scene, View, int, int], Evidence]] = Attachments(
    "renderers",
    DIAGNOSTICS.values(),
    {
        QUERY_LOGS: logs,
        CHECK_METRICS: metrics,
        CHECK_DEPENDENCIES: dependencies,
        CHECK_RECENT_DEPLOYS: deploys,
        CHECK_SERVICE_STATUS: status,
    },
)
"""What renders each diagnostic, given a scene, a view of it, a node and the minute up to which it is seen."""
