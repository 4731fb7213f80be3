"""Values as callers send them: null is left out, and a text that is exactly a value of its type is read as that value.

Language models and the libraries around them write `"3"`, `"true"`, `null` and objects as JSON text. The schemas that
are listed do not say so: they are strict, and a client that keeps to them needs none of this.
"""

from __future__ import annotations

import json
import re
from functools import cache, partial
from itertools import islice
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_MOST_FIELDS = 64
"""More fields than any model has. Of an object with more only so many unknown ones are looked at, since each is a
problem of its own, and the first few are told."""
_TRUTH = {"true": True, "false": False}


def read_object(value: object) -> object:
    """The object whose JSON text a value is; any other value as it is."""
    if isinstance(value, str):
        try:
            read = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return read if isinstance(read, dict) else value
    return value


def _read_whole(value: object) -> object:
    """JSON does not tell 3.0 from 3."""
    if isinstance(value, str):
        return int(value) if _WHOLE_NUMBER.fullmatch(value) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read_number(value: object) -> object:
    return _read_whole(value) if isinstance(value, str) else value


def _read_truth(value: object) -> object:
    return _TRUTH.get(value.casefold(), value) if isinstance(value, str) else value


_READERS: dict[object, Callable[[object], object]] = {
    int: _read_whole,
    float: _read_number,
    bool: _read_truth,
    dict: read_object,
}


class Given(BaseModel):
    """What a caller may send: strict, without unknown fields. `undone` says what a refusal of it has not done."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    undone: ClassVar[str] = "nothing was changed"

    @classmethod
    def read(cls, given: object) -> Self:
        """What was given, validated. Every step comes by, so that only what is not valid as it is is read at all.

        Raises:
            ValidationError: if it is not valid even so.
        """
        if isinstance(given, dict) and len(given) > _MOST_FIELDS:
            given = _leave_out_unknown(cls, given)
        try:
            return cls.model_validate(given)
        except ValidationError:
            read = _read_fields(cls, given)
        return cls.model_validate(read)


def _leave_out_unknown(model: type[BaseModel], given: dict[Any, object]) -> dict[Any, object]:
    """What was given, with the first unknown fields alone."""
    unknown = list(islice((name for name in given if name not in model.model_fields), _MOST_FIELDS))
    kept = {*model.model_fields, *unknown}
    return {name: value for name, value in given.items() if name in kept}


def _read_fields(model: type[BaseModel], given: object) -> object:
    """What was given, without null and with each field as a value of its type, where it stands for one."""
    if not isinstance(given, dict):
        return given
    readers = _find_readers(model)
    return {
        name: readers[name](value) if name in readers else value
        for name, value in given.items()
        if value is not None or name not in model.model_fields
    }


@cache
def _find_readers(model: type[BaseModel]) -> dict[str, Callable[[object], object]]:
    """What reads the fields of a model that may have to be read."""
    kinds = {name: _find_kind(field.annotation) for name, field in model.model_fields.items()}
    return {name: reader for name, kind in kinds.items() if (reader := _find_reader(kind)) is not None}


def _find_reader(kind: object) -> Callable[[object], object] | None:
    if isinstance(kind, type) and issubclass(kind, Given):
        return partial(_read_fields, kind)
    return _READERS.get(kind)


def _find_kind(annotation: object) -> object:
    """The type that a value of an annotation has, null aside."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _find_kind(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        kinds = {_find_kind(option) for option in get_args(annotation) if option is not type(None)}
        return kinds.pop() if len(kinds) == 1 else None
    return origin or annotation
