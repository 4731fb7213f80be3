"""Operations of one kin: one verb can tell several of them, and its noun says which.

*Reverted diners* can tell that its release, its settings or its access policy were taken back; *reverted the release of
diners* can tell the first alone.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from graders.terms import split_set

if TYPE_CHECKING:
    from graders.terms import Span, Words


_BACK = split_set("rollback revert restore reload resume uncordon unblock stop disable")
_RESTART = split_set("restart recycle fail failover resume raise")
_GROW = split_set("scale raise expand widen extend")
_CLEAR = split_set("clear flush purge clean reset skip cancel terminate revoke move")
_FAMILIES = {
    **dict.fromkeys(("rollback", "revert", "restore", "reload", "resume"), _BACK),
    **dict.fromkeys(("restart", "recycle"), _RESTART),
    **dict.fromkeys(_GROW, _GROW),
    **dict.fromkeys(_CLEAR, _CLEAR),
}
"""By the first word of an operation's name, which others its verbs can tell, by the first words of theirs.

To raise a limit is to restart: instances read it when they start.
"""

_NOUNS = {
    name: split_set(nouns)
    for name, nouns in {
        "rollback_deploy": "release releases deploy deploys deployment build builds image rollout",
        "revert_policy": "policy policies access authorisation authorization permission permissions acl mesh callers",
        "restore_routes": "route routes routing announcements",
        "disable_feature_flag": "flag flags toggle",
        "unblock_client": "client clients block blocks",
        "stop_shedding": "shedding load",
        "uncordon_zone": "zone zones cordon",
        "resume_job": "job jobs",
        "scale_service": "replica replicas instance instances pod pods",
        "raise_memory": "memory heap",
        "raise_connections": "connection connections",
        "raise_slots": "slot slots worker workers thread threads",
        "raise_quota": "quota quotas",
        "expand_volume": "volume volumes disk disks storage",
        "clear_cache": "cache caches entry entries key keys",
        "flush_resolver": "resolver resolvers answer answers dns",
        "purge_queue": "queue queues topic topics message messages",
        "skip_message": "message messages",
        "clean_disk": "disk disks volume volumes log logs file files",
        "cancel_sessions": "session sessions query queries transaction transactions",
        "fail_over": "standby",
    }.items()
}
_OPEN = split_set(
    "change changes config configuration configurations conf setting settings edit edits rule rules parameter"
    " parameters value values behaviour behavior"
)
"""Nouns that say no more than the verb: settings, releases and policies are all changed."""
_WEAK = split_set("version versions")
"""They mean a release, if nothing beside them is the version of something else."""
_NO_DEED = split_set(
    "page pages alert alerts alarm alarms incident error errors symptom symptoms backlog lag normal baseline usual"
)
"""What is cleared or reverted by itself: *the alert was cleared*, *latency reverted to normal*."""

_IMPLIED = {"cordon_zone": ("drain_zone",)}
"""What is done by an operation beside it."""
_OPPOSITES = {
    "clear_cache": "warm_cache",
    "cordon_zone": "uncordon_zone",
    "drain_zone": "uncordon_zone",
    "block_client": "unblock_client",
    "shed_load": "stop_shedding",
    "pause_job": "resume_job",
    "rotate_secret": "publish_secret",
}
"""What is made good by which operation: who did that and says *the job was paused* tells what had gone wrong."""

_SYNONYMS = {
    name: tuple(verbs.split("|"))
    for name, verbs in {
        "raise": "increas*|bumped|lifted|doubled|enlarged",
        "expand": "doubled|grew|grown|enlarged|increas*|resized|extended|scaled",
        "cancel": "killed|terminated|ended|cleared",
        "publish": "distributed|handed out|pushed",
        "clean": "deleted|freed|cleared|removed",
        "skip": "dropped|left out|removed|cleared",
        "purge": "dropped|emptied|cleared|drained",
        "flush": "cleared|emptied|dropped",
        "reissue": "renewed|issued|replaced",
        "rebuild": "rebuilt|recreated|created|restored",
        "spread": "rebalanced|redistributed|divided",
        "switch": "failed over|moved",
        "fail": "promoted|restarted",
        "warm": "filled|refilled|preloaded",
        "pause": "suspended|stopped",
        "revert": "undid|undone|took back|taken back",
        "restore": "undid|undone|reloaded|loaded",
        "uncordon": "opened|reopened",
        "unblock": "let in|allowed",
        "block": "refused|banned",
        "drain": "evacuated|emptied",
        "stop": "turned off|switched off|disabled",
    }.items()
}


PASSIVE = split_set("was were been being got are is")
"""Words that make a verb passive."""
_NEAR = 3
_AND = split_set("and then")
_BY_US = {("by", who) for who in ("us", "me", "hand")}
_GOES_BY_ITSELF = split_set("rollback revert clear")


def _find_first_word(operation: str) -> str:
    """The word by which the kin of an operation is known."""
    return operation.partition("_")[0]


@cache
def list_nouns(operation: str) -> frozenset[str]:
    """What an operation is done to, beside its target: by the words of its name, if nothing else is said."""
    words = operation.split("_")[1:]
    return _NOUNS.get(operation) or frozenset(form for word in words for form in (word, word.rstrip("s"), f"{word}s"))


@cache
def list_all_nouns(operation: str) -> frozenset[str]:
    """What the verbs of an operation can be about: nouns of all that they can tell, and such as say no more."""
    return (_OPEN | _WEAK).union(
        list_nouns(operation), *(nouns for other, nouns in _NOUNS.items() if is_kin(operation, other))
    )


@cache
def list_verbs(operation: str) -> tuple[str, ...]:
    """The verbs, as forms, that can tell an operation: that of its name, and others."""
    word = _find_first_word(operation)
    return (f"{word.rstrip('ey')}*", *_SYNONYMS.get(word, ()))


@cache
def is_kin(operation: str, other: str) -> bool:
    """Whether the verbs of an operation can tell another."""
    return _find_first_word(other) in _FAMILIES.get(_find_first_word(operation), ())


class Phrase(NamedTuple):
    """A deed as it is told by the verbs of an operation: to what it is done, if it says so, and whether by nobody."""

    operation: str
    noun: str
    is_passive: bool

    @property
    def is_no_deed(self) -> bool:
        """Whether it tells what went by itself."""
        return self.noun in _NO_DEED

    def names(self, other: str) -> bool:
        """Whether its noun is that of another operation."""
        return self.noun in list_nouns(other)

    def tells(self, other: str) -> bool:
        """Whether it can tell another operation, that it does, or what it makes good."""
        if other in _IMPLIED.get(self.operation, ()):
            return True
        if self.is_passive and other == _OPPOSITES.get(self.operation):
            return True
        return is_kin(self.operation, other) and (not self.noun or self.names(other))


def read_phrase(operation: str, words: Words, verb: Span, named: frozenset[int]) -> Phrase:
    """How a verb in a clause tells the deed of an operation. Words that are `named` are parts of names.

    A verb in the passive has its noun before it, nearest first, and any other behind it, up to *and*.
    """
    start, end = verb
    passive = not PASSIVE.isdisjoint(words[max(0, start - _NEAR) : start]) and not words[start].endswith("ing")
    own = any(words[index : index + 2] in _BY_US for index in range(end, min(len(words), end + _NEAR + 2)))
    stop = next((index for index in range(end, len(words)) if words[index] in _AND), len(words))
    places = [*(reversed(range(start)) if passive else ()), *range(end, stop)]
    known = list_all_nouns(operation)
    if _find_first_word(operation) in _GOES_BY_ITSELF:
        places = [index for index in places if words[index] not in _NO_DEED or index <= end + _NEAR]
        known |= _NO_DEED
    nouns = [words[index] for index in places if index not in named and words[index] in known]
    return Phrase(operation, _choose(nouns), passive and not own)


def _choose(nouns: list[str]) -> str:
    """The noun that says to what a deed is done; none if that is open."""
    for noun in nouns:
        if noun in _OPEN:
            return ""
        if noun not in _WEAK:
            return noun
    return "release" if nouns else ""
