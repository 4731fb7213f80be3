"""Whether a deed that a text tells is the agent's own and was done: not denied, not ahead, not of others."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from graders.kin import PASSIVE
from graders.prose import is_denied
from graders.terms import split_set

if TYPE_CHECKING:
    from graders.terms import Words

_FUTURE = split_set(
    "will would should shall must could may might need needs recommend recommended recommending consider considered"
    " future tomorrow planned plan plans going propose proposed suggest suggested upcoming todo ought wants"
    " avoid avoided refrained"
)
_FUTURE_PAIRS = {
    *((ahead, "to") for ahead in ("has", "have", "about", "meant", "wanted", "ready")),
    *(("to", "do"), ("follow", "up"), ("action", "item")),
    *(
        ("next", when)
        for when in ("day", "week", "month", "quarter", "sprint", "year", "time", "maintenance", "release")
    ),
}
_FUTURE_REACH = 5
_PAST = {*(("last", when) for when in ("week", "month", "quarter", "year")), ("weeks", "ago"), ("days", "ago")}
"""What was done then was no repair of this incident."""
_OTHERS = split_set(
    "nobody noone someone somebody anyone anybody everybody everyone others they he she it who kubernetes k8s kubelet"
    " kubelets platform orchestrator scheduler controller operator autoscaler hpa cluster kernel supervisor systemd"
    " watchdog probe probes partner vendor provider supplier carrier owner owners team teams colleague colleagues"
    " developer developers maintainer pipeline ci deploy deployment release rollout patch patches"
    " maintenance automation cron job script alert itself themselves customer customers"
)
"""Who may do what the agent could: a deed of theirs is none of its own."""
_CONDITIONS = split_set("if unless whether")
_SELF = split_set("we i")
_ALONE = split_set(
    "nobody noone someone somebody anyone anybody everybody everyone they he she it who kubernetes kubelet"
)
_ARTICLES = split_set(
    "the a an its our their his her this that each every any some and or but then when as on call host"
)
_BETWEEN = split_set(
    "keeps keep kept has had have is was were are been already then also automatically again simply just always"
    " constantly repeatedly now immediately one ones ever even only still that which to"
)
"""What may stand between others and their deed: *the kubelet has already restarted it*."""
_OURSELVES = split_set("us me myself ourselves hand hands half one two three four five six seven eight nine ten")
_ASKED = split_set("asked ask asks asking told tell advise advised request requested requesting urged invited")
_ASKED_REACH = 6
_AGAIN = split_set("repeatedly constantly continuously perpetually permanently loop loops loses keeps kept every")
"""A deed that is done over and over is no repair."""
COMPOUNDS = split_set("loop loops count counts counter policy policies storm backoff limit limits")
"""Nouns that begin with a deed: *the restart count*."""
_UNDONE = tuple(
    tuple(phrase.split())
    for phrase in ("unnecessary", "rejected", "avoided", "not needed", "not necessary", "not required")
)
_UNDONE_WORDS = frozenset(phrase[-1] for phrase in _UNDONE)
_REACH_BEHIND = 5
_AHEAD = _FUTURE | _AGAIN
_PAIRS_AHEAD = _FUTURE_PAIRS | _PAST
MEANT = _FUTURE | _OTHERS | _CONDITIONS | _ASKED | _AGAIN | COMPOUNDS
"""Words that say of a deed that it is none of the agent's own, or none at all."""


def is_stated(words: Words, start: int, end: int) -> bool:
    """Whether a deed is told as done by the agent: not denied, not ahead, not on condition, not of others."""
    if words[end - 1] == "restarts":
        return False
    if words[end : end + 1] == ("of",):
        end += 1  # a noun: *a restart of postgres-db was unnecessary*
    first = max(0, start - _FUTURE_REACH)
    first = next((index + 1 for index in range(start - 1, first - 1, -1) if words[index] in _SELF), first)
    return not (
        is_denied(words, start, end)
        or _is_undone(words[end : end + _REACH_BEHIND])
        or _is_ahead(words[first:start], words[end : end + _FUTURE_REACH])
        or _is_of_others(words, start, end)
        or not _CONDITIONS.isdisjoint(words[:start])
        or not COMPOUNDS.isdisjoint(words[end : end + 1])
    )


def _is_undone(behind: Words) -> bool:
    return not _UNDONE_WORDS.isdisjoint(behind) and any(
        behind[index : index + len(phrase)] == phrase for phrase in _UNDONE for index in range(min(4, len(behind)))
    )


def _is_ahead(before: Words, behind: Words) -> bool:
    """Whether a deed is only planned, or was done long ago or for somebody who was asked."""
    return (
        not _AHEAD.isdisjoint(before)
        or not _AHEAD.isdisjoint(behind)
        or not _PAIRS_AHEAD.isdisjoint(pairwise(before))
        or not _PAIRS_AHEAD.isdisjoint(pairwise(behind))
    )


def _names_others(words: Words, index: int) -> bool:
    """Whether others are named by a word; a service may be called *kube-platform*, which names nobody."""
    before = words[index - 1] if index else ""
    return (words[index : index + 1] == ("one",) and before == "no") or (
        words[index] in _OTHERS and (not index or words[index] in _ALONE or before in _ARTICLES or before in _OTHERS)
    )


def _is_of_others(words: Words, start: int, end: int) -> bool:
    """Whether others did it: they stand before the deed, or behind it after *by*, or were asked to."""
    for index in range(start - 1, -1, -1):
        if _names_others(words, index):
            return True
        if words[index] not in _BETWEEN or (words[index] in PASSIVE and not words[start].endswith("ing")):
            break
    if not _ASKED.isdisjoint(words[max(0, start - _ASKED_REACH) : start]):
        return True
    behind = words[end : end + _REACH_BEHIND + 2]
    return any(
        word == "by" and agent not in _OURSELVES and not agent.endswith("ing") and not agent[0].isdigit()
        for word, agent in pairwise(behind)
    )
