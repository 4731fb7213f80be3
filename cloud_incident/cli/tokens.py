"""`cloud-incident tokens`: make, list and remove the tokens that a server asks for."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.options import NameChoice
from cloud_incident.tokens.entry import TokenFileError, make_token, read_entries, write_entries
from env_core.callers import OPERATE, SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cloud_incident.tokens.entry import TokenEntry

_PRIVATE = 0o600

_with_file: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--tokens",
    "file",
    required=True,
    envvar=["CLOUD_INCIDENT_TOKENS"],
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of tokens.",
)


@click.group()
def tokens() -> None:
    """Make, list and remove the tokens that a server asks for."""


@tokens.command(cls=ReportingCommand)
@click.argument("name")
@click.option(
    "--scope",
    type=NameChoice(SCOPES),
    default=OPERATE,
    show_default=True,
    help="play: act in episodes of the name. operate: open, grade and close them too. admin: everything.",
)
@click.option(
    "--expires", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]), help="The end of its validity, UTC."
)
@_with_file
def add(file: Path, name: str, scope: str, expires: datetime | None) -> None:
    """Make a token for NAME and print it. It is printed this once; the file keeps its hash.

    Episodes belong to the name, whichever of its tokens opened them. Running servers accept the token within a second.
    """
    try:
        token, entry = make_token(name, scope, None if expires is None else expires.replace(tzinfo=UTC))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    _write(file, [*_read(file), entry])
    click.echo(f"The token {entry.id} of {name} has the scope {scope}. Keep it: it is not shown again.", err=True)
    click.echo(token)


@tokens.command("list", cls=ReportingCommand)
@_with_file
def list_tokens(file: Path) -> None:
    """List the tokens: id, name, scope and the end of their validity."""
    now = datetime.now(UTC)
    for entry in _read(file):
        ends = "" if entry.expires is None else f"  until {entry.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        click.echo(f"{entry.id}  {entry.name}  {entry.scope}{ends}{'' if entry.is_valid(now) else '  (expired)'}")


@tokens.command(cls=ReportingCommand)
@click.argument("names", nargs=-1, required=True)
@_with_file
def remove(file: Path, names: tuple[str, ...]) -> None:
    """Remove tokens by their id, or every token of a name. Running servers refuse them within a second."""
    entries = _read(file)
    unknown = [name for name in names if not any(name in {entry.id, entry.name} for entry in entries)]
    if unknown:
        raise click.ClickException(f"{file} has no token of id or name {', '.join(unknown)}. Nothing was removed.")
    kept = [entry for entry in entries if not {entry.id, entry.name} & set(names)]
    _write(file, kept)
    click.echo(f"{len(entries) - len(kept)} removed, {len(kept)} left.", err=True)


def _read(file: Path) -> list[TokenEntry]:
    try:
        return read_entries(file.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except (TokenFileError, UnicodeDecodeError) as error:
        raise click.ClickException(f"The tokens in {file} cannot be used: {error}.") from None


def _write(file: Path, entries: Iterable[TokenEntry]) -> None:
    """Write a file of tokens as a whole, so that no server reads half of it. Only its user may read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            written.write(write_entries(entries))
        Path(name).chmod(_PRIVATE)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
