"""check_metrics: the key metrics of one service with a short recent series."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from scenarios.evidence import Evidence, align_columns
from scenarios.vocabulary.action import Diagnostic
from scenarios.vocabulary.parameters import OnService

MetricName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-zA-Z0-9_.:]*(\{[^}]*\})?$"),
    Field(description="Metric name, labels in braces."),
]
Samples = Annotated[tuple[float, ...], Field(min_length=3, max_length=12, description="Recent samples, oldest first.")]


class Scrapes(BaseModel):
    """One metric as it was scraped: None where there was nothing to scrape."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: MetricName
    unit: str = Field(min_length=1, description="Unit, such as ms, %, req/s, MiB.")
    normal: float | None = Field(description="Usual value at this time of day.")
    recent: tuple[float | None, ...]


class Series(Scrapes):
    """One metric: its unit, its normal value and recent samples, oldest first; the last is the current value."""

    normal: float = Field(description="Usual value at this time of day.")
    recent: Samples


class ScrapedMetrics(Evidence):
    """Key metrics with normal values and what was scraped of late."""

    step_minutes: int = Field(ge=1)
    series: tuple[Scrapes, ...] = Field(min_length=1)

    @property
    def heading(self) -> str:
        return f"{self.service} · metrics · as of {self.as_of} · one sample per {self.step_minutes} min, oldest first"

    def body(self) -> str:
        rows = [("metric", "unit", "normal", "now", "recent")]
        rows += [
            (
                series.name,
                series.unit,
                _format_number(series.normal),
                _format_number(series.recent[-1]),
                " ".join(map(_format_number, series.recent)),
            )
            for series in self.series
        ]
        return align_columns(rows)


class Metrics(ScrapedMetrics):
    """Key metrics with normal values and a short recent series."""

    series: tuple[Series, ...] = Field(min_length=1)


GAP = "-"
"""How a sample is printed that is missing."""


def _format_number(value: float | None) -> str:
    return GAP if value is None else f"{value:.10g}"


CHECK_METRICS = Diagnostic(
    name="check_metrics",
    title="Check metrics",
    description="Show the key metrics of one service: unit, normal value, current value and a short recent series.",
    parameters=OnService,
    evidence=Metrics,
    field="metrics",
)
