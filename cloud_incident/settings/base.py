"""What every command that works with incidents can be told, and how settings are loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations of class variables
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, DirectoryPath, Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud_incident.settings.sources import FileSource, InvalidSettingsError, VariablesSource, is_secret
from scenarios.catalogue import Catalogue
from scenarios.generator.naming import DEFAULT_DIFFICULTY, DIFFICULTIES
from scenarios.generator.salt import Salt
from scenarios.suggesting import suggest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from pydantic_settings import PydanticBaseSettingsSource

NO_FLAG = "no flag"
"""Marks a setting that the command line does not offer."""

DIFFICULTY_HELP = f"Difficulty {min(DIFFICULTIES)}–{max(DIFFICULTIES)}; {DEFAULT_DIFFICULTY} if only a seed is given."


def _check_salt(secret: SecretStr) -> SecretStr:
    Salt.of(secret.get_secret_value())
    return secret


class Settings(BaseSettings):
    """Settings of a command. Arguments go before variables, these before the file, and this before the defaults.

    `load` reports what is wrong in the words of a user; the constructor raises pydantic's error.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    command: ClassVar[str]
    """The command whose own variables and table of the file are read."""

    variable_names: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The variables that are read for a setting in place of the command's own one; the first that is given counts."""

    scenarios: tuple[DirectoryPath, ...] = Field(
        (), description="A directory of further incidents; may be given more than once."
    )
    salt: Annotated[SecretStr, AfterValidator(_check_salt)] | None = Field(
        None,
        description="A file with a secret that makes generated ids opaque; or the secret itself in "
        "CLOUD_INCIDENT_SALT.",
    )
    config: FilePath | None = Field(
        None, description="A TOML file of settings; flags and variables override what it says."
    )

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """The settings that flags, the environment and the file give.

        Raises:
            InvalidSettingsError: if a setting is not valid, or the file is not.
        """
        try:
            return cls(**flags)
        except ValidationError as error:
            # The first error of each setting; that too few values are left without a bad one is no news.
            errors: dict[tuple[int | str, ...], ErrorDetails] = {}
            for item in error.errors():
                errors.setdefault(item["loc"][:1], item)
            raise InvalidSettingsError("\n".join(_explain(cls, flags, item) for item in errors.values())) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours knows a command's variables before the general
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a file is read only if it is named
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a secret's file is named, not found
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        variables = VariablesSource(settings_cls, cls.command, cls.variable_names)
        file = init_settings().get("config") or variables().get("config")
        return init_settings, variables, *([FileSource(settings_cls, cls.command, Path(file))] if file else [])

    @property
    def secret_salt(self) -> Salt | None:
        """The salt of generated ids, if there is one."""
        return None if self.salt is None else Salt.of(self.salt.get_secret_value())

    def build_catalogue(self) -> Catalogue:
        """A catalogue of the curated incidents, those of further directories, and generated ones."""
        return Catalogue(self.scenarios, self.secret_salt)


def _explain(settings: type[Settings], flags: Mapping[str, Any], error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Value error, ").rstrip(".")
    if not error["loc"]:
        return f"{message}."
    name = str(error["loc"][0])
    field = settings.model_fields.get(name)
    given = error["input"]
    value = "" if field is None or is_secret(field) else f", not {str(given) if isinstance(given, Path) else given!r}"
    valid = re.findall("'(.+?)'", str(error.get("ctx", {}).get("expected", "")))
    return f"{name} ({_locate(settings, flags, name)}): {message}{value}. {suggest(str(given), valid)}".rstrip()


def _locate(settings: type[Settings], flags: Mapping[str, Any], name: str) -> str:
    """Where the value of a setting came from, in words."""
    if name in flags:
        return f"from --{name.replace('_', '-')}"
    variables = VariablesSource(settings, settings.command, settings.variable_names)
    variable = variables.find_variable(f"{name}_file") or variables.find_variable(name)
    return f"from the variable {variable}" if variable else f"from {flags.get('config') or variables().get('config')}"
