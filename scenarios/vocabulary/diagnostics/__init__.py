"""The diagnostics, one file each, in the order in which surfaces list them."""

from scenarios.vocabulary.diagnostics.check_dependencies import CHECK_DEPENDENCIES, CallPath, Dependencies, Health
from scenarios.vocabulary.diagnostics.check_metrics import (
    CHECK_METRICS,
    GAP,
    MetricName,
    Metrics,
    Samples,
    ScrapedMetrics,
    Scrapes,
    Series,
)
from scenarios.vocabulary.diagnostics.check_recent_deploys import CHECK_RECENT_DEPLOYS, Change, ChangeKind, Deploys
from scenarios.vocabulary.diagnostics.check_service_status import CHECK_SERVICE_STATUS, Status
from scenarios.vocabulary.diagnostics.query_logs import QUERY_LOGS, Logs

DIAGNOSTICS = {
    diagnostic.name: diagnostic
    for diagnostic in (
        QUERY_LOGS,
        CHECK_METRICS,
        CHECK_DEPENDENCIES,
        CHECK_RECENT_DEPLOYS,
        CHECK_SERVICE_STATUS,
    )
}
"""Every diagnostic by name."""

__all__ = [
    "CHECK_DEPENDENCIES",
    "CHECK_METRICS",
    "CHECK_RECENT_DEPLOYS",
    "CHECK_SERVICE_STATUS",
    "DIAGNOSTICS",
    "GAP",
    "QUERY_LOGS",
    "CallPath",
    "Change",
    "ChangeKind",
    "Dependencies",
    "Deploys",
    "Health",
    "Logs",
    "MetricName",
    "Metrics",
    "Samples",
    "ScrapedMetrics",
    "Scrapes",
    "Series",
    "Status",
]
