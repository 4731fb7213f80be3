"""What a command writes: whether it can be written is found out before the work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class OutputPath(click.Path):
    """A file or a directory to write, which need not exist. An empty text, such as an unset variable, is none."""

    def __init__(self, *, file: bool) -> None:
        super().__init__(file_okay=file, dir_okay=not file, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not os.fsdecode(value):
            self.fail("an empty text is no path.", param, ctx)
        return super().convert(value, param, ctx)


class OutputFile(OutputPath):
    """A file that will be written. It is refused if its directory is missing or it cannot be written there.

    With `makes_directory` a missing directory is made when the file is written.
    """

    def __init__(self, *, makes_directory: bool = False) -> None:
        super().__init__(file=True)
        self._makes_directory = makes_directory

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        directory = path.parent
        if self._makes_directory:
            directory = next(parent for parent in (directory, *directory.absolute().parents) if parent.exists())
        if not directory.exists():
            self.fail(f"the directory {directory} does not exist; make it first, or name another.", param, ctx)
        if not directory.is_dir():
            self.fail(f"{directory} is a file, not a directory.", param, ctx)
        if directory == path.parent:
            self._try(path, param, ctx)
        return path

    def _try(self, path: Path, param: click.Parameter | None, ctx: click.Context | None) -> None:
        """Open the file for writing. What is in it stays, and a file that was not there is removed again."""
        existed = path.exists()
        try:
            with path.open("ab"):
                pass
            if not existed:
                path.unlink()
        except OSError as error:
            self.fail(f"{path} cannot be written: {error.strerror}.", param, ctx)


def refuse_same_file(written: Mapping[str, Path | None], read: Mapping[str, Path | None] | None = None) -> None:
    """Refuse options that name one file twice, where one of the two would destroy what the other holds.

    Raises:
        click.UsageError: if two of the `written` are one file, or one of them is one of those that are `read`.
    """
    seen: dict[Path, str] = {path.resolve(): option for option, path in (read or {}).items() if path is not None}
    for option, path in written.items():
        if path is None:
            continue
        other = seen.setdefault(path.resolve(), option)
        if other != option:
            raise click.UsageError(f"{option} and {other} name the same file, {path}; give each its own.")
