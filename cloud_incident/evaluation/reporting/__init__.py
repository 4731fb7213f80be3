"""Presents figures and trajectories: tables, an HTML report, chat lines for fine-tuning."""

from __future__ import annotations

from cloud_incident.evaluation.reporting.description import describe_run
from cloud_incident.evaluation.reporting.export import export_chat
from cloud_incident.evaluation.reporting.report import POLICY, render_report

__all__ = [
    "POLICY",
    "describe_run",
    "export_chat",
    "render_report",
]
