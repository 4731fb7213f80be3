"""The types of action parameters: what is refused, how values are normalised, what JSON schemas say of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from scenarios.given import Given

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

NAME_LIMIT = 64
"""Longest name of a service, flag or runbook step, in characters."""
FAILURE_MODE_LIMIT = 500
"""Longest failure mode, in characters."""
SUMMARY_LIMIT = 4000
"""Longest post-incident summary, in characters."""
REPLICAS_LIMIT = 1_000_000
"""Most replicas that a service can be scaled to."""

_CONTROL = r"\x00-\x1f\x7f-\x9f"
_CONTROL_IN_PROSE = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_NAME_PATTERN = rf"^\s*[^\s{_CONTROL}]([^{_CONTROL}]*[^\s{_CONTROL}])?\s*$"
_OPTIONAL_NAME_PATTERN = rf"^\s*[^{_CONTROL}]*\s*$"
_PROSE_PATTERN = rf"^[^{_CONTROL_IN_PROSE}]*[^\s{_CONTROL}][^{_CONTROL_IN_PROSE}]*$"
_CONTROL_CHARACTER = re.compile(f"[{_CONTROL}]")


def _refuse_control_characters(value: str, allowed: str = "") -> str:
    for match in _CONTROL_CHARACTER.finditer(value):
        if match[0] not in allowed:
            raise ValueError(f"must not contain control characters (found U+{ord(match[0]):04X})")
    return value


def _normalise_name(value: str) -> str:
    return _refuse_control_characters(value.casefold())


def _check_prose(value: str) -> str:
    return _refuse_control_characters(value, allowed="\t\n\r")


def _normalise_severity(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _limit_length(limit: int) -> BeforeValidator:
    """Checks the length of a string before whitespace is stripped."""

    def refuse_longer(value: object) -> object:
        if isinstance(value, str) and len(value) > limit:
            raise ValueError(f"must have at most {limit} characters")
        return value

    return BeforeValidator(refuse_longer)


@dataclass(frozen=True, slots=True)
class SchemaPattern:
    """Shows in JSON schemas what a validator asks of a string; pydantic's own `pattern` would word the refusal."""

    pattern: str

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core_schema), "pattern": self.pattern}


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LIMIT),
    AfterValidator(_normalise_name),
    SchemaPattern(_NAME_PATTERN),
    _limit_length(NAME_LIMIT),
]
"""A name of 1 to `NAME_LIMIT` characters, stripped and casefolded, without control characters."""

OptionalName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=NAME_LIMIT),
    AfterValidator(_normalise_name),
    SchemaPattern(_OPTIONAL_NAME_PATTERN),
    _limit_length(NAME_LIMIT),
]
"""A name like `Name` that may be empty."""

FailureMode = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=FAILURE_MODE_LIMIT),
    AfterValidator(_check_prose),
    SchemaPattern(_PROSE_PATTERN),
    _limit_length(FAILURE_MODE_LIMIT),
]
"""Prose of 1 to `FAILURE_MODE_LIMIT` characters."""

Summary = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=SUMMARY_LIMIT),
    AfterValidator(_check_prose),
    SchemaPattern(_PROSE_PATTERN),
    _limit_length(SUMMARY_LIMIT),
]
"""Prose of 1 to `SUMMARY_LIMIT` characters."""

SEVERITY_NORMALISED = BeforeValidator(_normalise_severity)
"""Reads ` p1 ` as P1."""


class Parameters(Given):
    """The typed parameters of one action, normalised once for every surface."""

    undone = "no step was taken"


class OnService(Parameters):
    """An action on one service."""

    service: Name = Field(description="Exact service name.")
