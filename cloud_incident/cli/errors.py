"""How errors are reported on the command line: in one line, with an exit status, without a traceback."""

from __future__ import annotations

from typing import Any

import click

from cloud_incident.settings.sources import InvalidSettingsError
from env_core.selection import SelectionError
from scenarios.catalogue import UnknownScenarioError
from scenarios.loading import DocumentError
from scenarios.parsing import InvalidActionError

_MENDABLE = (DocumentError, InvalidActionError, SelectionError, UnknownScenarioError)
"""What a user can mend, whatever the command."""


class ReportingCommand(click.Command):
    """A command that reports errors which a user can mend, and lets all others through.

    `failures` are further errors that end it with exit status 1, and `misuses` those that end it with 2.
    """

    def __init__(
        self,
        *arguments: Any,
        failures: tuple[type[Exception], ...] = (),
        misuses: tuple[type[Exception], ...] = (),
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.failures: tuple[type[Exception], ...] = (*_MENDABLE, *failures)
        self.misuses: tuple[type[Exception], ...] = (InvalidSettingsError, *misuses)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever reads the output has seen enough; click ends quietly
            raise
        except Exception as error:
            reported = self.translate(error)
            if reported is None:
                raise
            raise reported from error

    def translate(self, error: Exception) -> click.ClickException | None:
        """What to report of an error, with its exit status; None if the error is a defect of ours."""
        if isinstance(error, self.misuses):
            return click.UsageError(str(error))
        return click.ClickException(str(error)) if isinstance(error, self.failures) else None
