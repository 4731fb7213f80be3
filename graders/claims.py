"""What a summary says was done: which remediations it states, and which it claims."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from graders.prose import CLAUSE_WORDS, HARD_ENDS, Words, denied, occurrences, sentences, tokens


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VERBS: dict[str, tuple[str, ...]] = {
    "restart_service": ("restart*", "bounced", "rebooted", "recycled"),
    "rollback_deploy": ("rollback*", "roll back", "rolled back", "rolling back", "revert*"),
    "scale_service": ("scaled", "scaling", "scale service", "scale up", "scale out"),
    "disable_feature_flag": ("disabl*", "turned off", "turning off", "switched off", "switching off", "toggled off"),
    "clear_cache": ("cleared", "clearing", "flushed", "purged", "clear cache"),
}
_SEPARABLE = {
    "rollback_deploy": (("rolled", "rolling"), "back"),
    "disable_feature_flag": (("turned", "turning", "switched", "switching", "toggled"), "off"),
}
"""Verbs whose particle may stand behind the target: *rolled config-service back*."""
_SEPARATION = 7
_FUTURE = _words(
    "will would should shall must could may might need needs recommend recommended recommending consider future"
    " tomorrow planned going propose proposed suggest suggested upcoming todo"
)
_FILLER = _words(
    "the then and also both its our all of to service services pod pods instance instances deployment database feature"
    " flag flags cache caches for in order finally lastly first second third next followed by afterwards on from at"
    " latest bad deploy release back up out off"
)
_PASSIVE = _words("was were been being got are is")


@dataclass(frozen=True, slots=True)
class _Sentence:
    words: Words

    def targets(self, target: str) -> list[tuple[int, int]]:
        return list(occurrences(self.words, target))

    @lru_cache(maxsize=1024)  # noqa: B019 - sentences are small and equal by value
    def verbs(self, action: str) -> list[tuple[int, int]]:
        forms = _VERBS.get(action, (action.partition("_")[0] + "*",))
        found = list(occurrences(self.words, *forms))
        starts, particle = _SEPARABLE.get(action, ((), ""))
        for index, word in enumerate(self.words):
            if word in starts and particle in self.words[index + 1 : index + _SEPARATION]:
                found.append((index, index + 1))
        return [(start, end) for start, end in found if self.stated(start, end)]

    def stated(self, start: int, end: int) -> bool:
        return not denied(self.words, start, end) and not (set(self.words[:start]) & _FUTURE)

    def names(self, runbook: str) -> bool:
        """Whether the sentence states a runbook step, by its name or with its verb inflected."""
        first, *rest = runbook.split("_")
        if not all(word in self.words for word in rest):
            return False
        stem = first.rstrip("ey") + "*"
        forms = (f"{stem} {' '.join(rest)}", *(f"{' '.join(rest)} {be} {stem}" for be in sorted(_PASSIVE)))
        return any(self.stated(start, end) for start, end in occurrences(self.words, *forms))


@lru_cache(maxsize=128)
def _sentences_of(text: str) -> tuple[_Sentence, ...]:
    return tuple(_Sentence(clause) for sentence in sentences(text) for clause in _claim_clauses(sentence))


def _claim_clauses(sentence: str) -> list[Words]:
    """A sentence split where its subject changes; commas are kept inside, since lists of targets have them."""
    found: list[list[str]] = [[]]
    for word in tokens(sentence):
        if word in HARD_ENDS or word in CLAUSE_WORDS:
            found.append([])
        elif word != ",":
            found[-1].append(word)
    return [tuple(clause) for clause in found if clause]


def _hints(sentence: _Sentence, runbook: str) -> bool:
    """Whether the deed and the last word of a runbook step stand in one sentence: *restored the routes*."""
    first, *_, last = runbook.split("_")
    deeds = occurrences(sentence.words, first.rstrip("ey") + "*")
    return last in sentence.words and any(sentence.stated(start, end) for start, end in deeds)


def states(text: str, action: str, target: str) -> bool:
    """Whether a text says that a remediation was made: deed and target in one sentence, neither denied nor future."""
    if action == "execute_runbook_step":
        return any(sentence.names(target) or _hints(sentence, target) for sentence in _sentences_of(text))
    return any(sentence.verbs(action) and sentence.targets(target) for sentence in _sentences_of(text))


def claims(text: str, action: str, target: str, names: tuple[str, ...] = ()) -> bool:
    """Whether a text claims exactly this remediation: the target stands in the reach of the deed's verb.

    A verb reaches over filler and over other `names`, as in *restarted a, b and then c*.
    """
    if action == "execute_runbook_step":
        return any(sentence.names(target) for sentence in _sentences_of(text))
    return any(
        _reaches(sentence.words, verb, place, names)
        for sentence in _sentences_of(text)
        for verb in sentence.verbs(action)
        for place in sentence.targets(target)
    )


def _reaches(words: Words, verb: tuple[int, int], place: tuple[int, int], names: tuple[str, ...]) -> bool:
    if place[0] >= verb[1]:
        return _only_filler(words[verb[1] : place[0]], names)
    passive = verb[0] > 0 and words[verb[0] - 1] in _PASSIVE
    return passive and _only_filler(words[place[1] : verb[0] - 1], names)


def _only_filler(words: Words, names: tuple[str, ...]) -> bool:
    named = {index for start, end in occurrences(words, *names) for index in range(start, end)} if names else set()
    return all(index in named or word in _FILLER for index, word in enumerate(words))
