"""What a command writes: checked before its work begins."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click import Context, Parameter


class OutputPath(click.Path):
    """A file or a directory to write, which need not exist. An empty text, such as an unset variable, is none."""

    def __init__(self, *, file: bool) -> None:
        super().__init__(file_okay=file, dir_okay=not file, path_type=Path)

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Any:
        if not str(value):
            self.fail("an empty text is no path.", param, ctx)
        return super().convert(value, param, ctx)


class OutputFile(OutputPath):
    """A file that can be written: its directory exists, and the file is there and writable or can be made."""

    def __init__(self) -> None:
        super().__init__(file=True)

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Any:
        file = Path(super().convert(value, param, ctx))
        if not file.parent.is_dir():
            self.fail(f"{file} cannot be written: there is no directory {file.parent}.", param, ctx)
        try:
            _try_writing(file)
        except OSError as error:
            self.fail(f"{file} cannot be written: {error.strerror}.", param, ctx)
        return file


def _try_writing(file: Path) -> None:
    """Write nothing to a file, and leave none where none is.

    Raises:
        OSError: if it cannot be written.
    """
    if file.is_file():
        os.close(os.open(file, os.O_WRONLY))
    elif not file.exists():
        with TemporaryFile(dir=file.parent):
            pass
