"""A group of commands that are imported when they are run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from cloud_incident.cli.interrupts import end_on_interrupt
from cloud_incident.garbage import exempt_imports

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyCommand(NamedTuple):
    """A command that is not imported yet: the module that has it under its name, and the first sentence of its help."""

    module: str
    summary: str


class LazyGroup(click.Group):
    """Imports a command when it is run, and none for its own help or for completion.

    Starting takes as long as the imports of the one command do.
    """

    def __init__(self, *arguments: Any, lazy_commands: Mapping[str, LazyCommand], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lazy_commands = lazy_commands

    def invoke(self, ctx: click.Context) -> Any:
        with end_on_interrupt():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            from scenarios.suggesting import describe_unknown

            names = self.list_commands(ctx)
            raise click.UsageError(describe_unknown("command", error.command_name, names), ctx) from None

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(self.lazy_commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in self.lazy_commands:
            return None
        with exempt_imports():
            module = import_module(self.lazy_commands[cmd_name].module)
        command = getattr(module, cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.lazy_commands[name].summary) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=self.lazy_commands[name].summary) for name in names]
        return [*commands, *super(click.Group, self).shell_complete(ctx, incomplete)]
