"""What is seen of a running system: the five diagnostics, from what a run has written down and from nothing else."""

from scenarios.telemetry.clock import Clock
from scenarios.telemetry.logs import SampledLogs
from scenarios.telemetry.looking import look
from scenarios.telemetry.pages import Page, describe_page, drop_silences, find_pages, is_well, update_alert
from scenarios.telemetry.reports import report_changes, report_operation, report_silence
from scenarios.telemetry.silences import Silence
from scenarios.telemetry.vantage import TelemetryError

__all__ = [
    "Clock",
    "Page",
    "SampledLogs",
    "Silence",
    "TelemetryError",
    "describe_page",
    "drop_silences",
    "find_pages",
    "is_well",
    "look",
    "report_changes",
    "report_operation",
    "report_silence",
    "update_alert",
]
