"""What is seen of a running system: the five diagnostics, from what a run has written down and from nothing else."""

from scenarios.telemetry.clock import Clock
from scenarios.telemetry.logs import SampledLogs
from scenarios.telemetry.looking import look
from scenarios.telemetry.pages import Page, describe_page, find_pages, is_well, update_alert
from scenarios.telemetry.reports import report_changes, report_operation
from scenarios.telemetry.vantage import TelemetryError

__all__ = [
    "Clock",
    "Page",
    "SampledLogs",
    "TelemetryError",
    "describe_page",
    "find_pages",
    "is_well",
    "look",
    "report_changes",
    "report_operation",
    "update_alert",
]
