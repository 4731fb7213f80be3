"""Rendering: what the five diagnostics show of a scene. One module per diagnostic, each from the same simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.generator.render.changes import deploys
from scenarios.generator.render.logs import logs
from scenarios.generator.render.metrics import metrics
from scenarios.generator.render.paths import dependencies
from scenarios.generator.render.status import status

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.evidence import Evidence
    from scenarios.generator.scene import Scene, View

RENDERERS: dict[str, Callable[[Scene, View, int, int], Evidence]] = {
    "query_logs": logs,
    "check_metrics": metrics,
    "check_dependencies": dependencies,
    "check_recent_deploys": deploys,
    "check_service_status": status,
}
"""What renders each diagnostic, given a scene, a view of it, a node and the minute up to which it is seen."""
