"""Evidence: what a diagnostic shows of one service, typed, with exactly one text rendering."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

if TYPE_CHECKING:
    from collections.abc import Sequence

Line = Annotated[str, StringConstraints(min_length=1)]
Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?Z$")]
"""A UTC time such as `2026-03-03T14:02Z`."""


class Evidence(BaseModel, ABC):
    """What one diagnostic shows of one service, as of one moment. `text` is its only rendering."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    as_of: Moment

    @cached_property
    def text(self) -> str:
        return f"{self.heading}\n{self.body()}"

    @property
    @abstractmethod
    def heading(self) -> str:
        """The first line of the text: service, diagnostic and time."""

    @abstractmethod
    def body(self) -> str:
        """The text below the heading."""


def align_columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows of text in aligned columns; the last column is left ragged."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    )
