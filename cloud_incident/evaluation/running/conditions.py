"""The conditions of a result: what it depends on beside the agent's name, the incident, the seed and the repeat."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from cloud_incident.about import describe_server
from scenarios.catalogue import CURATED_SPLIT
from scenarios.generator.naming import GENERATOR_VERSION, region_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scenarios.catalogue import Catalogue
    from scenarios.generator.salt import Salt

IN_PROCESS = "in process"
"""The surface of episodes that are played without a server."""

_FINGERPRINT_DIGITS = 16


class Place(NamedTuple):
    """Where episodes are played: in this process, or over a surface of the server at an address.

    `server` is the version that the server tells.
    """

    surface: str = IN_PROCESS
    address: str = ""
    server: str = ""


HERE = Place()


@with_config(ConfigDict(extra="forbid"))
class ConditionsRecord(TypedDict):
    """What a result depends on, beside what its key and its reference say.

    `version` is that of the release that played, `generator` that of the generator of incidents. `surface`, `address`
    and `server` are those of a `Place`. `split` is that of the scenario. `salt` is a fingerprint of the secret salt,
    or empty. `parameters` are those of the agent, such as the model and its temperature.
    """

    version: str
    generator: str
    surface: str
    address: str
    server: str
    split: str
    salt: str
    parameters: dict[str, str | float | None]


_OF_RUN = ("version", "generator", "surface", "address", "server", "salt")
"""The conditions that all results of one file share."""


def describe_conditions(
    place: Place = HERE,
    *,
    split: str = CURATED_SPLIT,
    salt: Salt | None = None,
    parameters: Mapping[str, str | float | None] | None = None,
) -> ConditionsRecord:
    """Describe the conditions under which this release plays at a place."""
    return {
        "version": _find_version(),
        "generator": GENERATOR_VERSION,
        "surface": place.surface,
        "address": place.address,
        "server": place.server,
        "split": split,
        "salt": fingerprint_salt(salt) if salt is not None else "",
        "parameters": dict(parameters or {}),
    }


def find_split(catalogue: Catalogue, scenario_id: str) -> str:
    """Find the split that a scenario belongs to; `open` for the seeds that people type.

    Raises:
        UnknownScenarioError: if there is no such scenario.
    """
    if scenario_id in catalogue.scenarios:
        return CURATED_SPLIT
    name, _ = catalogue.origin(scenario_id)
    return region_of(name.drawn)


def fingerprint_salt(salt: Salt) -> str:
    """Give a fingerprint that tells two salts apart and from which no salt can be computed."""
    return salt.key(b"ci-fingerprint").hex()[:_FINGERPRINT_DIGITS]


def compare_conditions(then: ConditionsRecord, now: ConditionsRecord, *, same_agent: bool) -> Iterator[str]:
    """Compare the conditions of a result with those of a run, and give a phrase for each difference.

    The split is left out, because it follows from the scenario. The parameters of another agent are left out too.
    """
    before: Mapping[str, object] = {name: value for name, value in then.items() if name in _OF_RUN}
    after: Mapping[str, object] = {name: value for name, value in now.items() if name in _OF_RUN}
    if same_agent:
        before, after = {**before, **then["parameters"]}, {**after, **now["parameters"]}
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield f"{name.replace('_', ' ')} {_word(before.get(name))}, now {_word(after.get(name))}"


def _word(value: object) -> str:
    return "none" if value in {None, ""} else str(value)


@cache
def _find_version() -> str:
    return describe_server().version
