"""How errors are reported on the command line: as a message and an exit status, without a traceback."""

from __future__ import annotations

import errno
from typing import Any

import click

from cloud_incident.cli.interrupts import end_on_interrupt
from cloud_incident.settings.sources import InvalidSettingsError
from scenarios.errors import CloudIncidentError

_FAILED = 1
"""The exit status after an error that is not in the table."""


class ReportingCommand(click.Command):
    """A command that reports errors which a user can act on. Other errors are raised as they are.

    A `CloudIncidentError` ends the command with the exit status of its kind. A file that cannot be used ends it with 1,
    and so do `failures`, which are further errors. `misuses` end it with 2, whatever their kind.
    """

    def __init__(
        self,
        *arguments: Any,
        failures: tuple[type[Exception], ...] = (),
        misuses: tuple[type[Exception], ...] = (),
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.failures: tuple[type[Exception], ...] = (CloudIncidentError, *failures)
        self.misuses: tuple[type[Exception], ...] = (InvalidSettingsError, *misuses)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with end_on_interrupt():
                return super().invoke(ctx)
        except BrokenPipeError:  # whoever reads the output has seen enough; click ends quietly
            raise
        except self.misuses as error:
            raise click.UsageError(str(error)) from error
        except self.failures as error:
            _show(error)
            ctx.exit(error.kind.exit if isinstance(error, CloudIncidentError) else _FAILED)
        except OSError as error:
            if error.filename is None and error.errno != errno.ENOSPC:
                raise
            _show(error)
            ctx.exit(_FAILED)


def _show(error: Exception) -> None:
    message = str(error)
    if isinstance(error, OSError) and error.filename is not None:
        message = f"{error.filename} cannot be used: {error.strerror}."
    elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
        message = f"Standard output cannot be written: {error.strerror}."
    click.ClickException(message).show()
