"""What prose affirms. One predicate serves failure modes, rival families and the claims of a summary."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.;:?!](?=\s|$)|\n|,")
_HARD_ENDS = frozenset(".;:?!\n")
_CLAUSE_WORDS = frozenset({"but", "because", "while", "instead"})
_CONJUNCTIONS = frozenset({"and", "or", "nor"})
_CUE_WORDS = frozenset(
    {"not", "no", "never", "without", "neither", "nor", "cannot", "unlikely", "unrelated", "excluded", "excluding"}
)
_CUE_PHRASES = (("rather", "than"), ("ruled", "out"), ("ruling", "out"), ("rule", "out"), ("instead", "of"))
_TRAILING_DENIALS = (
    ("ruled", "out"),
    ("red", "herring"),
    ("unrelated",),
    ("innocent",),
    ("not", "the", "cause"),
    ("not", "the", "root", "cause"),
    ("not", "to", "blame"),
)
_LONGEST_ITEM = {"and": 2, "or": 3, "nor": 3}
_LONGEST_MIDDLE_ITEM = 3

Words = tuple[str, ...]


@lru_cache(maxsize=256)
def tokens(text: str) -> Words:
    """Words, commas and clause ends: NFKC, casefolded, format characters dropped, hyphens and underscores as spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    visible = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    return tuple(_TOKEN.findall(visible.replace("_", " ").replace("-", " ")))


@lru_cache(maxsize=4096)
def _term(term: str) -> tuple[tuple[str, bool], ...]:
    """The words of a term, each with whether it is a stem."""
    words = term.casefold().replace("-", " ").replace("_", " ").split()
    return tuple((word.rstrip("*"), word.endswith("*")) for word in words)


def occurrences(words: Words, term: str) -> list[tuple[int, int]]:
    """Every (start, end) at which a term stands in a run of words."""
    wanted = _term(term)
    length = len(wanted)
    return [
        (start, start + length)
        for start in range(len(words) - length + 1)
        if all(
            words[start + offset].startswith(word) if stem else words[start + offset] == word
            for offset, (word, stem) in enumerate(wanted)
        )
    ]


@lru_cache(maxsize=256)
def clauses(text: str) -> tuple[Words, ...]:
    """The clauses of a text, without their punctuation.

    A clause ends at `.` `;` `:` `?` `!`, a newline, *but*, *because*, *while*, *instead*, and at a comma outside a list.
    """
    stream = tokens(text)
    found: list[list[str]] = [[]]
    for index, token in enumerate(stream):
        if token == ",":
            if not _in_list(stream, index):
                found.append([])
        elif token in _HARD_ENDS:
            found.append([])
        elif token in _CLAUSE_WORDS and stream[index + 1 : index + 2] != ("of",):
            found.append([])
        else:
            found[-1].append(token)
    return tuple(tuple(clause) for clause in found if clause)


def _in_list(stream: Words, comma: int) -> bool:
    """Whether the comma at an index separates items of a list: short items, the last behind *and*, *or* or *nor*."""
    item: list[str] = []
    for token in stream[comma + 1 :]:
        if token in _HARD_ENDS or token in _CLAUSE_WORDS:
            return False
        if token == ",":
            if len(item) > _LONGEST_MIDDLE_ITEM:
                return False
            item = []
        elif token in _CONJUNCTIONS:
            return len(item) <= _LONGEST_MIDDLE_ITEM and _closes_list(stream, comma, token)
        else:
            item.append(token)
    return False


def _closes_list(stream: Words, comma: int, conjunction: str) -> bool:
    start = stream.index(conjunction, comma) + 1
    length = 0
    for token in stream[start:]:
        if token in _HARD_ENDS or token in _CLAUSE_WORDS or token == ",":
            break
        length += 1
    return 0 < length <= _LONGEST_ITEM[conjunction]


def _cues(clause: Words) -> list[tuple[int, int]]:
    found = [
        (index, index + 1)
        for index, word in enumerate(clause)
        if (word in _CUE_WORDS or word.endswith("n't")) and clause[index : index + 2] != ("not", "only")
    ]
    found += [(index, index + 2) for index, pair in enumerate(pairwise(clause)) if pair in _CUE_PHRASES]
    return found


def denied(clause: Words, start: int, end: int) -> bool:
    """Whether what stands at (start, end) of a clause is denied there.

    It is when a cue stands before it in the clause without being part of it, or when the clause goes on to rule it out.
    """
    if any(cue_end <= start for _, cue_end in _cues(clause)):
        return True
    rest = clause[end:]
    return any(
        rest[index : index + len(denial)] == denial for denial in _TRAILING_DENIALS for index in range(len(rest))
    )


def affirms(text: str, term: str) -> bool:
    """Whether a text says that a term is so, at least once: stated, and not denied in its clause."""
    return any(
        not denied(clause, start, end) for clause in clauses(text) for start, end in occurrences(clause, term)
    )


def affirms_any(text: str, terms: tuple[str, ...]) -> bool:
    return any(affirms(text, term) for term in terms)


def sentences(text: str) -> list[str]:
    """The sentences of a text, ended by `.` `?` `!` before a space, or by a newline."""
    return [part.strip() for part in re.split(r"(?<=[.?!])\s+|\n+", text) if part.strip()]


# --- Claims -------------------------------------------------------------------------------------------------------

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
_FUTURE = frozenset(
    "will would should shall must could may might need needs recommend recommended recommending consider future "
    "tomorrow planned going propose proposed suggest suggested upcoming todo".split()
)
_FILLER = frozenset(
    "the then and also both its our all of to service services pod pods instance instances deployment database feature "
    "flag flags cache caches for in order finally lastly first second third next followed by afterwards on from at "
    "latest bad deploy release back up out off".split()
)
_PASSIVE = frozenset("was were been being got are is".split())


@dataclass(frozen=True, slots=True)
class _Sentence:
    words: Words

    def targets(self, target: str) -> list[tuple[int, int]]:
        return occurrences(self.words, target)

    def verbs(self, action: str) -> list[tuple[int, int]]:
        forms = _VERBS.get(action, (action.partition("_")[0] + "*",))
        found = [place for form in forms for place in occurrences(self.words, form)]
        starts, particle = _SEPARABLE.get(action, ((), ""))
        for index, word in enumerate(self.words):
            if word in starts and particle in self.words[index + 1 : index + _SEPARATION]:
                found.append((index, index + 1))
        return [(start, end) for start, end in found if self._stated(start, end)]

    def _stated(self, start: int, end: int) -> bool:
        return not denied(self.words, start, end) and not (set(self.words[:start]) & _FUTURE)

    def names(self, runbook: str) -> bool:
        """Whether the sentence states a runbook step, by its name or with its verb inflected."""
        first, *rest = runbook.split("_")
        stem = first.rstrip("ey") + "*"
        forms = (f"{stem} {' '.join(rest)}", *(f"{' '.join(rest)} {be} {stem}" for be in sorted(_PASSIVE)))
        return any(self._stated(start, end) for form in forms for start, end in occurrences(self.words, form))


@lru_cache(maxsize=128)
def _sentences_of(text: str) -> tuple[_Sentence, ...]:
    return tuple(_Sentence(clause) for sentence in sentences(text) for clause in _claim_clauses(sentence))


def _claim_clauses(sentence: str) -> list[Words]:
    """A sentence split where its subject changes; commas are kept inside, since lists of targets have them."""
    found: list[list[str]] = [[]]
    for token in tokens(sentence):
        if token in _HARD_ENDS or token in _CLAUSE_WORDS:
            found.append([])
        elif token != ",":
            found[-1].append(token)
    return [tuple(clause) for clause in found if clause]


def states(text: str, action: str, target: str) -> bool:
    """Whether a text says that a remediation was made: the deed and its target in one sentence, neither denied nor future."""
    if action == "execute_runbook_step":
        return any(sentence.names(target) for sentence in _sentences_of(text))
    return any(sentence.targets(target) and sentence.verbs(action) for sentence in _sentences_of(text))


def claims(text: str, action: str, target: str, names: tuple[str, ...] = ()) -> bool:
    """Whether a text claims exactly this remediation: the target stands in the reach of the deed's verb.

    A verb reaches over filler and over other `names`, as in *restarted a, b and then c*.
    """
    if action == "execute_runbook_step":
        return states(text, action, target)
    return any(
        _reaches(sentence.words, verb, place, names)
        for sentence in _sentences_of(text)
        for place in sentence.targets(target)
        for verb in sentence.verbs(action)
    )


def _reaches(words: Words, verb: tuple[int, int], place: tuple[int, int], names: tuple[str, ...]) -> bool:
    if place[0] >= verb[1]:
        return _only_filler(words[verb[1] : place[0]], names)
    passive = verb[0] > 0 and words[verb[0] - 1] in _PASSIVE
    return passive and _only_filler(words[place[1] : verb[0] - 1], names)


def _only_filler(words: Words, names: tuple[str, ...]) -> bool:
    named = {index for name in names for start, end in occurrences(words, name) for index in range(start, end)}
    return all(index in named or word in _FILLER for index, word in enumerate(words))
