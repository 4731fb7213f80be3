"""A toy: something that is added to a copy of this project, as a contributor would add it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Insertion:
    """Text to insert into a file after the text `behind`, which must occur there exactly once."""

    path: str
    behind: str
    text: str


@dataclass(frozen=True)
class Toy:
    """New files by their paths, and insertions into files that are there. `row` names it in the table."""

    row: str
    files: dict[str, str] = field(default_factory=dict)
    insertions: tuple[Insertion, ...] = ()

    @property
    def touched(self) -> set[str]:
        """The paths of all files that it takes."""
        return {*self.files, *(insertion.path for insertion in self.insertions)}

    def add_to(self, tree: Path) -> None:
        """Write it into a copy of the project."""
        for path, text in self.files.items():
            target = tree / path
            assert not target.exists(), f"{path} is there already"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        for insertion in self.insertions:
            target = tree / insertion.path
            before = target.read_text("utf-8")
            assert before.count(insertion.behind) == 1, f"{insertion.path}: {insertion.behind!r} must stand there once"
            target.write_text(before.replace(insertion.behind, insertion.behind + insertion.text), "utf-8")
