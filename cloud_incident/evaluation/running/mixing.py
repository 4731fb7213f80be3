"""Keeps results apart that were measured under different conditions: they must not meet in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.running.conditions import compare_conditions
from cloud_incident.evaluation.running.run_file import WAY_OUT
from env_core.reference import RULES_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_incident.evaluation.running.run_file import KnownResult, RunFile
    from cloud_incident.evaluation.running.schedule import Attempt
    from scenarios.catalogue import Catalogue

_MOST_DIGESTS = 20
"""How many generated scenarios are made again to verify the digests of a resumed run. For the others their id suffices,
because it determines the incident."""


class OtherConditionsError(ValueError):
    """A file holds results that were measured under other conditions than those of this run. Nothing was changed."""


def refuse_other_conditions(attempts: Sequence[Attempt], file: RunFile, catalogue: Catalogue) -> None:
    """Refuse a file with results that could not have been measured by this run.

    All results of a file share version, generator, rules, surface, address, server and salt, and those of one agent
    share its parameters. Episodes that failed hold no result, so that they may be of other conditions.

    Raises:
        OtherConditionsError: if a result is of other conditions, or its incident has changed since.
    """
    by_agent = {attempt.agent: attempt for attempt in attempts}
    for key, known in file.known.items():
        attempt = by_agent.get(known.agent)
        now = attempt or next(iter(attempts), None)
        if now is None:
            return
        differences = [*compare_conditions(known.conditions, now.conditions, same_agent=attempt is not None)]
        differences += _compare_rules(known, now)
        if differences:
            raise OtherConditionsError(
                f"The results of this run must not be mixed with those in the file. {key} was measured with "
                f"{'; '.join(differences)}. {WAY_OUT}"
            )
    _refuse_changed_incidents(attempts, file, catalogue)


def _compare_rules(known: KnownResult, now: Attempt) -> list[str]:
    pairs = {
        "rules": (known.reference["rules"], RULES_VERSION),
        "rewards": (known.reference["reward_mode"], now.reward_mode),
    }
    return [f"{what} {before}, now {after}" for what, (before, after) in pairs.items() if before != after]


def _refuse_changed_incidents(attempts: Sequence[Attempt], file: RunFile, catalogue: Catalogue) -> None:
    generated: set[str] = set()
    for attempt in attempts:
        known = file.known.get(attempt.key)
        if known is None:
            continue
        if attempt.scenario_id not in catalogue.scenarios and attempt.scenario_id not in generated:
            if len(generated) >= _MOST_DIGESTS:
                continue
            generated.add(attempt.scenario_id)
        if known.reference["digest"] != catalogue.get(attempt.scenario_id).incident.digest:
            raise OtherConditionsError(f"{attempt.scenario_id} has changed since {attempt.key} was played. {WAY_OUT}")
