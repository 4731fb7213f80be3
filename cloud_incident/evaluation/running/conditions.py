"""The conditions of a result: what it depends on beside the agent's name, the incident, the seed and the repeat."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from cloud_incident.about import describe_server
from scenarios.catalogue import CURATED_SPLIT
from scenarios.generator.naming import GENERATOR_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IN_PROCESS = "in process"
"""The surface of episodes that are played without a server."""


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
    parameters: dict[str, str | int | float | None]


_OF_RUN = ("version", "generator", "surface", "address", "server", "salt")
"""The conditions that all results of one file share."""


def describe_conditions(
    place: Place = HERE,
    *,
    salt: str = "",
    generator: str = GENERATOR_VERSION,
) -> ConditionsRecord:
    """Describe the conditions under which this release plays at a place. `salt` is a fingerprint."""
    return {
        "version": _find_version(),
        "generator": generator,
        "surface": place.surface,
        "address": place.address,
        "server": place.server,
        "split": CURATED_SPLIT,
        "salt": salt,
        "parameters": {},
    }


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
