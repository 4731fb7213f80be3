"""How prose says that a remediation was made: its verbs, and where a clause states one."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from graders.claims.standing import is_stated
from graders.prose import find_occurrences
from scenarios.vocabulary import (
    CLEAR_CACHE,
    DISABLE_FEATURE_FLAG,
    EXECUTE_RUNBOOK_STEP,
    REMEDIATIONS,
    RESTART_SERVICE,
    ROLLBACK_DEPLOY,
    SCALE_SERVICE,
    Attachments,
)

if TYPE_CHECKING:
    from graders.terms import Words


class _Verbs(NamedTuple):
    """How prose says that a remediation was made.

    `forms` are verbs, `*` ending a word stem. `separable` are verbs and the particle that may stand behind the target,
    as in *rolled config-service back*.
    """

    forms: tuple[str, ...]
    separable: tuple[tuple[str, ...], str] = ((), "")


_VERBS = Attachments(
    "verbs that claim a remediation",
    REMEDIATIONS.values(),
    {
        RESTART_SERVICE: _Verbs(("restart", "restarts", "restarted", "restarting", "bounced", "rebooted", "recycled")),
        ROLLBACK_DEPLOY: _Verbs(
            ("rollback*", "roll back", "rolled back", "rolling back", "revert*"), (("rolled", "rolling"), "back")
        ),
        SCALE_SERVICE: _Verbs(("scaled", "scaling", "scale service", "scale up", "scale out")),
        DISABLE_FEATURE_FLAG: _Verbs(
            ("disabl*", "turned off", "turning off", "switched off", "switching off", "toggled off"),
            (("turned", "turning", "switched", "switching", "toggled"), "off"),
        ),
        CLEAR_CACHE: _Verbs(("cleared", "clearing", "flushed", "purged", "clear cache")),
        EXECUTE_RUNBOOK_STEP: _Verbs(("execute*",)),
    },
)
_SEPARATION = 7


@lru_cache(maxsize=4096)
def find_stated_verbs(words: Words, action: str) -> tuple[tuple[int, int], ...]:
    """Where a clause states the deed of an action: neither denied nor future."""
    forms, (starts, particle) = _VERBS[REMEDIATIONS[action]]
    found = list(find_occurrences(words, *forms))
    for index, word in enumerate(words):
        if word in starts and particle in words[index + 1 : index + _SEPARATION]:
            found.append((index, index + 1))
    return tuple((start, end) for start, end in found if is_stated(words, start, end))
