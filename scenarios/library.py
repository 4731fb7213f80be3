"""What every incident shares: the organisation's runbook catalogue and the families of failure."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from scenarios.shipped import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping


class _LibraryEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RunbookStep(_LibraryEntry):
    """One step of the runbook. One with `verify` only checks, and one that `waits` lets so many seconds pass; neither
    repairs.

    `needs` says what kind of thing it has to be applied to, if it does.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{2,62}$")
    domain: str
    does: str
    verify: bool = False
    waits: int = 0
    needs: str = ""


class FailureFamily(_LibraryEntry):
    """A way in which systems fail, with the terms by which prose affirms it. `*` ends a term that is a word stem."""

    name: str
    terms: tuple[str, ...] = Field(min_length=1)


def _load_data(name: str) -> Any:
    return read_yaml(files("scenarios").joinpath("data", name))


@cache
def digest_library() -> str:
    """Hex SHA-256 of what every incident shares. It is part of each incident's digest, since scores rest on it."""
    shared = [_load_data(name) for name in ("runbooks.yaml", "failures.yaml", "senses.yaml")]
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()


@cache
def load_runbook_catalogue() -> dict[str, RunbookStep]:
    """Every runbook step by name, the same for every incident."""
    return {step.name: step for step in (RunbookStep.model_validate(entry) for entry in _load_data("runbooks.yaml"))}


def list_runbook_steps(steps: Mapping[str, RunbookStep] | None = None) -> str:
    """The steps of a runbook, a line each; of the catalogue where none is given."""
    return "\n".join(
        f"- {step.name} ({step.domain}{', verification' if step.verify else ''}"
        f"{f', target: a {step.needs}' if step.needs else ''}): {step.does}"
        for step in (load_runbook_catalogue() if steps is None else steps).values()
    )


@cache
def load_failure_families() -> dict[str, FailureFamily]:
    """Every family of failure by name. Affirming families beside the true one costs a root-cause answer its points."""
    return {
        family.name: family for family in (FailureFamily.model_validate(entry) for entry in _load_data("failures.yaml"))
    }


@cache
def load_senses() -> dict[str, tuple[str, ...]]:
    """Terms of like meaning by the name with which other terms refer to them: `<gone>`."""
    return TypeAdapter(dict[str, tuple[str, ...]]).validate_python(_load_data("senses.yaml"))
