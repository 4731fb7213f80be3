"""The front door: what a diagnostic shows of a component of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.suggesting import describe_unknown
from scenarios.telemetry.dependencies import show_dependencies
from scenarios.telemetry.deploys import show_deploys
from scenarios.telemetry.logs import show_logs
from scenarios.telemetry.metrics import show_metrics
from scenarios.telemetry.status import show_status
from scenarios.telemetry.vantage import TelemetryError, Vantage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenarios.evidence import Evidence
    from scenarios.world import Run

_SHOW: Mapping[str, Callable[[Vantage], Evidence]] = {
    "query_logs": show_logs,
    "check_metrics": show_metrics,
    "check_dependencies": show_dependencies,
    "check_recent_deploys": show_deploys,
    "check_service_status": show_status,
}


def look(
    run: Run,
    diagnostic: str,
    component: str,
    *,
    system: int = 0,
    as_of: float | None = None,
    contains: str = "",
) -> Evidence:
    """What a diagnostic shows of a component. The run is only read, and what is shown of a moment stays so.

    Args:
        run: the run.
        diagnostic: the name of a diagnostic of the vocabulary.
        component: the name of a component.
        system: which of the systems of the run has it.
        as_of: the second of the run as of which it is shown; None for now.
        contains: for `query_logs`: only lines with this in them, in whatever case.

    Raises:
        TelemetryError: if there is no such diagnostic or component, the moment is yet to come, or too little has been
            recorded.
    """
    show = _SHOW.get(diagnostic)
    if show is None:
        raise TelemetryError(describe_unknown("diagnostic", diagnostic, _SHOW))
    seen = Vantage(run, component, system=system, as_of=as_of)
    return show_logs(seen, contains=contains) if diagnostic == "query_logs" else show(seen)
