"""Where settings come from besides flags: variables of the environment, and a TOML file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import SecretStr
from pydantic_settings import PydanticBaseSettingsSource

from scenarios.suggesting import suggest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_settings import BaseSettings

PREFIX = "CLOUD_INCIDENT_"
"""What the names of our variables begin with."""

TABLES = ("audit", "episodes", "evaluate", "generate", "mcp", "replay", "serve", "show")
"""The commands that take settings; a file may have a table for each."""


class InvalidSettingsError(ValueError):
    """Settings that are not valid. The message names each, what is valid, and where the bad value came from."""


class VariablesSource(PydanticBaseSettingsSource):
    """Variables of the environment: `CLOUD_INCIDENT_SERVE_HOST` for one command, `CLOUD_INCIDENT_HOST` for all.

    `names` are the variables of a setting that take the place of the command's own; the first one given counts.
    Several values are separated by blanks, several paths as in `PATH`. An empty variable counts as not given.
    """

    def __init__(self, settings: type[BaseSettings], command: str, names: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(settings)
        self._command = command
        self._names = names

    def find_variable(self, name: str) -> str | None:
        """The name of the variable that gives a setting, or None."""
        return next((variable for variable in self._list_variables(name) if os.environ.get(variable)), None)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = self.find_variable(field_name)
        if is_secret(field) and (naming := self.find_variable(f"{field_name}_file")):
            value: Any = read_secret(Path(os.environ[naming]), naming)
        elif variable is None:
            value = None
        else:
            value = SecretStr(os.environ[variable]) if is_secret(field) else _split(os.environ[variable], field)
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        return dict(_iterate_given(self))

    def _list_variables(self, name: str) -> tuple[str, ...]:
        own = f"{PREFIX}{self._command.upper()}_{name.upper()}"
        return (*self._names.get(name, (own,)), f"{PREFIX}{name.upper()}")


class FileSource(PydanticBaseSettingsSource):
    """A TOML file: what every command takes at the top, and what one command takes in a table of its name.

    Relative paths start at the directory of the file.

    Raises:
        InvalidSettingsError: if the file cannot be read, is not TOML, or has a name that is no setting.
    """

    def __init__(self, settings: type[BaseSettings], command: str, file: Path) -> None:
        super().__init__(settings)
        self.file = file
        self._values = self._read(command)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if is_secret(field) and (named := self._values.get(f"{field_name}_file")):
            secret = read_secret(self.file.parent / str(named), f"{field_name}_file in {self.file}")
            return secret, field_name, False
        return _resolve_paths(self._values.get(field_name), field, self.file.parent), field_name, False

    def __call__(self) -> dict[str, Any]:
        return dict(_iterate_given(self))

    def _read(self, command: str) -> dict[str, Any]:
        try:
            content = tomllib.loads(self.file.read_text("utf-8"))
        except OSError as error:
            raise InvalidSettingsError(f"config: {self.file} cannot be read: {error.strerror}.") from None
        except ValueError as error:
            raise InvalidSettingsError(f"config: {self.file} is not TOML: {error}.") from None
        tables = {name: content.pop(name) for name in list(content) if isinstance(content[name], dict)}
        known = list_names(self.settings_cls)
        own = tables.get(command, {})
        _refuse_unknown(tables, TABLES, f"{self.file}: no table of settings is called")
        _refuse_unknown(content, known, f"{self.file}: `{command}` has no setting called")
        _refuse_unknown(own, known, f"{self.file}: [{command}] has no setting called")
        return {**content, **own}


def list_names(settings: type[BaseSettings]) -> list[str]:
    """The names under which a file may give settings."""
    fields = settings.model_fields
    return [name for name in fields if name != "config"] + [
        f"{name}_file" for name in fields if is_secret(fields[name])
    ]


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is a secret, which may be given by the file that holds it."""
    return _holds(field.annotation, SecretStr)


def read_secret(file: Path, where: str) -> SecretStr:
    """The secret that a file holds; `where` says who named the file.

    Raises:
        InvalidSettingsError: if it cannot be read or is not UTF-8.
    """
    try:
        return SecretStr(file.read_text("utf-8"))
    except OSError as error:
        raise InvalidSettingsError(f"{where}: {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidSettingsError(f"{where}: {file} is not UTF-8 text.") from None


def get_element(field: FieldInfo) -> Any:
    """The type of one of the values of a setting that takes several, or None if it takes one."""
    return get_args(field.annotation)[0] if get_origin(field.annotation) is tuple else None


def _iterate_given(source: PydanticBaseSettingsSource) -> Iterator[tuple[str, Any]]:
    for name, field in source.settings_cls.model_fields.items():
        value, _, _ = source.get_field_value(field, name)
        if value is not None:
            yield name, value


def _refuse_unknown(names: Iterable[str], known: Collection[str], refusal: str) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        suggestion = suggest(unknown[0], known)
        said = f"{refusal} {', '.join(unknown)}. {suggestion}".rstrip()
        raise InvalidSettingsError(f"{said} Valid: {', '.join(known)}.")


def _holds(annotation: Any, wanted: type) -> bool:
    return annotation is wanted or any(_holds(part, wanted) for part in get_args(annotation))


def _split(text: str, field: FieldInfo) -> str | list[str]:
    element = get_element(field)
    if element is None:
        return text
    return text.split(os.pathsep) if _holds(element, Path) else text.split()


def _resolve_paths(value: Any, field: FieldInfo, directory: Path) -> Any:
    if get_element(field) is not None and isinstance(value, str | int):
        value = [value]
    if not _holds(field.annotation, Path):
        return value
    if isinstance(value, list):
        return [directory / part if isinstance(part, str) else part for part in value]
    return directory / value if isinstance(value, str) else value
