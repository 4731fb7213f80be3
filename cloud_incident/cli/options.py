"""Options of the command line: those derived from settings, and those that several commands share."""

from __future__ import annotations

import inspect
from enum import StrEnum
from functools import wraps
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import click
from annotated_types import Ge, Gt, Le
from click.core import ParameterSource
from pydantic.fields import FieldInfo
from pydantic.types import PathType

from cloud_incident.settings.base import NO_FLAG, Settings
from cloud_incident.settings.sources import get_element, is_secret, read_secret
from scenarios.generator.naming import DIFFICULTIES
from scenarios.suggesting import suggest
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    Callback = Callable[..., None]

Given = TypeVar("Given", bound=Settings)


class NameChoice(click.Choice[str]):
    """One of some names. An error suggests the closest ones."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        message = super().get_invalid_choice_message(value, ctx)
        return f"{message} {suggest(str(value), self.choices)}".rstrip()


TASK = NameChoice(list(TASKS))
"""One of the tasks."""

DIFFICULTY = click.IntRange(min(DIFFICULTIES), max(DIFFICULTIES))
"""A difficulty of generated incidents."""


def with_settings(settings: type[Settings], *, without: Collection[str] = ()) -> Callable[[Callback], Callback]:
    """Gives a command the options of its settings, those `without` aside, and the command's function the `settings`.

    Raises:
        InvalidSettingsError: when the command is run and a setting is not valid.
    """
    names = [name for name in _list_settings(settings) if name not in without]

    def decorate(callback: Callback) -> Callback:
        @wraps(callback)
        def run_with_settings(**options: Any) -> None:
            rest = {name: value for name, value in options.items() if name not in names}
            callback(settings=load_settings(settings, click.get_current_context()), **rest)

        decorated: Callback = run_with_settings
        for name in reversed(names):
            decorated = _build_option(name, settings.model_fields[name])(decorated)
        return decorated

    return decorate


def load_settings(settings: type[Given], context: click.Context) -> Given:
    """The settings that the flags of a command give, together with the variables and the file.

    Raises:
        InvalidSettingsError: if a setting is not valid.
    """
    flags = {
        name: read_secret(value, f"--{name}-file") if is_secret(settings.model_fields[name]) else value
        for name, value in context.params.items()
        if name in settings.model_fields and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    return settings.load(**flags)


def _list_settings(settings: type[Settings]) -> list[str]:
    """The settings that are flags: first those of the class itself, then those of the classes above it."""
    classes = [base for base in settings.__mro__ if issubclass(base, Settings)]
    declared = [name for base in classes for name in inspect.get_annotations(base) if name in settings.model_fields]
    return [name for name in dict.fromkeys(declared) if NO_FLAG not in settings.model_fields[name].metadata]


def _build_option(name: str, field: FieldInfo) -> Callable[[Callback], Callback]:
    flag = f"--{name.replace('_', '-')}"
    # Variables are read with the settings, so that every way of serving reads the same ones.
    shared: dict[str, Any] = {"help": field.description, "allow_from_autoenv": False}
    if is_secret(field):
        file = click.Path(exists=True, dir_okay=False, path_type=Path)
        return click.option(f"{flag}-file", name, type=file, **shared)
    element = get_element(field)
    kind = _get_type(field.annotation if element is None else element, field.metadata)
    if kind is click.BOOL:
        flag = f"{flag}/--no-{name.replace('_', '-')}"
    default = field.default.value if isinstance(field.default, StrEnum) else field.default
    shown = default not in {None, ()}
    return click.option(
        flag, name, type=kind, default=default, show_default=shown, multiple=element is not None, **shared
    )


def _get_type(annotation: Any, metadata: Iterable[Any]) -> click.ParamType[Any, Any]:
    """What click makes of the type of a setting and its bounds."""
    constraints = list(_flatten(metadata))
    if get_origin(annotation) in {Union, UnionType}:
        (annotation,) = (part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        constraints += _flatten(more)
    if get_origin(annotation) is Literal:
        return NameChoice(get_args(annotation))
    if issubclass(annotation, StrEnum):
        return NameChoice([member.value for member in annotation], case_sensitive=False)
    if annotation is bool:
        return click.BOOL
    if annotation is Path:
        return _get_path_type(constraints)
    least: Any = next((item.ge for item in constraints if isinstance(item, Ge)), None)
    most: Any = next((item.le for item in constraints if isinstance(item, Le)), None)
    if annotation is int:
        return click.IntRange(least, most)
    if annotation is float:
        above: Any = next((item.gt for item in constraints if isinstance(item, Gt)), None)
        return click.FloatRange(least, most) if above is None else click.FloatRange(above, most, min_open=True)
    return click.STRING


def _get_path_type(constraints: list[Any]) -> click.Path:
    """A file or a directory that exists, or, where nothing is said, a directory that need not."""
    kinds = [item.path_type for item in constraints if isinstance(item, PathType)]
    return click.Path(exists=bool(kinds), file_okay="file" in kinds, dir_okay="file" not in kinds, path_type=Path)


def _flatten(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else [item]
