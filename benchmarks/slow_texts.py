"""How long the slowest text takes to grade that a seeded search finds: what one submission can hold up the others for.

Run with `python -m benchmarks.slow_texts`, or with seconds of search for each episode (30 unless arguments) and a seed
(0). The search repeats tokens to which graders listen, and changes them as long as a grade takes longer. All times are
milliseconds of CPU, the least of several, with nothing remembered of the text; they are divided by how much slower than
the yardstick's core this one is.
"""

from __future__ import annotations

import functools
import inspect
import random
import re
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.yardstick import measure_slowdown
from env_core.episode import advance, begin
from env_core.reference import Reference
from graders import read_lists
from scenarios.catalogue import Catalogue
from scenarios.generator.library import families
from scenarios.library import load_failure_families, load_runbook_catalogue, load_senses
from scenarios.parsing import parse_action
from scenarios.vocabulary import DIAGNOSTICS, FAILURE_MODE_LIMIT, SUMMARY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from env_core.episode import Episode
    from scenarios.catalogue import Scenario

SECONDS = 30.0
SHOWN = 5
"""Texts printed for each episode, the slowest."""

_PATIENCE = 60
"""Changes tried in a row without a gain before a search begins anew."""
_TWICE = 0.4
"""The share of changes that are two at once."""
_MOST_PIECES = 6
_LENGTHS = (1, 1, 2, 3, 5, 12)
_GLUES = (" ", " ", "", ", ", ". ", "; ")
_TIMES = (1, 2, 5, 20, 60, 600)
_MOVES = ("insert", "insert", "remove", "repeat", "repeat", "extend", "extend", "exchange", "exchange", "exchange")
_TEXTUAL = frozenset({"text", "words", "clause", "sentence", "shown"})
"""First parameters of functions that remember what they found in a text."""

_LISTENED_TO = (
    "revert|reverted|rollback|rolled back|rolling|restarted|restart|scaled|disabled|turned|turned off|switched|off|"
    "back|cleared|flushed|executed|was|were|been|is|it|them|both|we|the|and|or|nor|but|because|so|while|which|until|"
    "if|not|no|without|never|isn't|cannot|unable to|nothing|spare|ruled out|red herring|rather than|went fine|missing|"
    "lack|fails to|run out of|too few|the kubelet|nobody|asked|by|again|every|will|next week|of|to|service|has|"
    "has been|.|,|;|:|?|!|\n|(|-|=>|\"|'|`|a|ab|\U0001f101|\u200b|İ|ﷺ|①|a\u0301|x_y|x-y"
)


class Found(NamedTuple):
    """A text, and the milliseconds that its grade takes."""

    milliseconds: float
    text: str


class Piece(NamedTuple):
    """A part of a text: tokens, what joins them, and how often they are repeated."""

    tokens: tuple[str, ...]
    glue: str
    times: int


def play(scenario: Scenario) -> Episode:
    """An episode before its last step, in which the longest evidence was shown and some remediations were made."""
    episode = begin("slow", Reference.to(scenario), scenario)
    services = scenario.incident.services
    for service in services[: 3 if scenario.task.remediates else 0]:
        episode = advance(episode, parse_action("rollback_deploy", {"service": service}))
    looks = [(name, {"service": service}) for name in DIAGNOSTICS for service in services]
    looks.sort(key=lambda look: -len(scenario.incident.evidence(look[0], look[1]["service"], frozenset()).text))
    for look in looks[: scenario.task.max_steps - 1 - episode.step_count]:
        episode = advance(episode, parse_action(*look))
    return episode


def time_grade(episode: Episode, text: str, rounds: int = 1) -> float:
    """The milliseconds of CPU that the grade of a text takes on the yardstick's core, the least of some rounds."""
    if episode.task.submission.name == "submit_root_cause":
        answer = {"service": episode.incident.truth.service, "failure_mode": text[:FAILURE_MODE_LIMIT]}
    else:
        answer = {"summary": text[:SUMMARY_LIMIT]}
    action = parse_action(episode.task.submission.name, answer)
    taken = []
    for _ in range(rounds):
        for remembering in _list_remembering():
            remembering.cache_clear()
        slowdown = max(1.0, measure_slowdown())
        began = time.thread_time()
        advance(episode, action)
        taken.append((time.thread_time() - began) * 1000 / slowdown)
    return min(taken)


@functools.cache
def _list_remembering() -> tuple[functools._lru_cache_wrapper[object], ...]:
    """The functions of graders that remember texts."""
    return tuple(
        known
        for name, module in list(sys.modules.items())
        if name.startswith("graders.")
        for known in vars(module).values()
        if isinstance(known, functools._lru_cache_wrapper)
        and known.__module__ == name
        and next(iter(inspect.signature(known).parameters), "") in _TEXTUAL
    )


def list_tokens(episode: Episode) -> list[list[str]]:
    """Tokens by their kind, each kind as likely as another."""
    incident = episode.incident
    terms = [term for family in families().values() for group in family.words.concepts for term in group]
    terms += [term for family in load_failure_families().values() for term in family.terms]
    own = [_spell(term) for group in incident.truth.concepts for term in group]
    words = " ".join(step.evidence.text for step in episode.steps if step.evidence is not None).split()
    quotations = [" ".join(words[start : start + 2 + start % 9]) for start in range(0, len(words), 9)]
    return [
        _LISTENED_TO.split("|"),
        [*incident.services, *incident.flags],
        [incident.truth.service, *own],
        [_spell(term) for term in terms],
        sorted({word for term in terms for word in _spell(term).split()}),
        list(load_runbook_catalogue()),
        quotations,
    ]


def _spell(term: str) -> str:
    for name, meant in load_senses().items():
        term = term.replace(f"<{name}>", meant[0])
    return re.sub(r"[*<>]", "", term).replace(" + ", " ")


class TextSearch:
    """A search for texts that a judge finds slow: pieces are put together, and changed as long as that pays."""

    def __init__(self, episode: Episode, chance: random.Random, judge: Callable[[str, int], float]) -> None:
        self._tokens = list_tokens(episode)
        self._limit = SUMMARY_LIMIT if episode.task.submission.name == "submit_resolution" else FAILURE_MODE_LIMIT
        self._chance = chance
        self._judge = judge

    def run(self, seconds: float) -> Iterator[Found]:
        """What each of some searches ends with; all together take some seconds."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            pieces = [self._draw_piece() for _ in range(self._chance.choice((1, 2, 3)))]
            slowest, idle = self._judge(write_text(pieces, self._limit), 1), 0
            while idle < _PATIENCE and time.monotonic() < ends:
                other = self._change(self._change(pieces) if self._chance.random() < _TWICE else pieces)
                taken = self._judge(write_text(other, self._limit), 1)
                if taken > slowest:  # once more, since a disturbance may have made it so
                    taken = min(taken, self._judge(write_text(other, self._limit), 2))
                idle += 1
                if taken > slowest:
                    pieces, slowest, idle = other, taken, 0
            yield Found(slowest, write_text(pieces, self._limit))

    def _draw_token(self) -> str:
        return self._chance.choice(self._chance.choice(self._tokens))

    def _draw_piece(self) -> Piece:
        drawn = tuple(self._draw_token() for _ in range(self._chance.choice(_LENGTHS)))
        return Piece(drawn, self._chance.choice(_GLUES), self._chance.choice(_TIMES))

    def _change(self, pieces: list[Piece]) -> list[Piece]:
        other = list(pieces)
        at = self._chance.randrange(len(other))
        piece = other[at]
        place = self._chance.randrange(len(piece.tokens))
        match self._chance.choice(_MOVES):
            case "insert" if len(other) < _MOST_PIECES:
                other.insert(at, self._draw_piece())
            case "remove" if len(other) > 1:
                del other[at]
            case "repeat":
                other[at] = piece._replace(times=self._chance.choice(_TIMES))
            case "extend":
                other[at] = piece._replace(tokens=(*piece.tokens, self._draw_token()))
            case _:
                changed = (*piece.tokens[:place], self._draw_token(), *piece.tokens[place + 1 :])
                other[at] = piece._replace(tokens=changed)
        return other


def write_text(pieces: list[Piece], limit: int) -> str:
    """The pieces one after another, again and again up to the longest length."""
    once = "".join((piece.glue.join(piece.tokens) + piece.glue) * piece.times for piece in pieces)
    text = (once * (limit // max(1, len(once)) + 1))[:limit]
    return text if text.strip() else "a"


def main() -> None:
    """Search and print."""
    given = [float(argument) for argument in sys.argv[1:]]
    seconds, seed = (*given, *(SECONDS, 0.0)[len(given) :])
    catalogue = Catalogue()
    read_lists()
    for scenario in (
        catalogue.get("RP-003"),
        catalogue.get_generated("remediation_planning", 7, 5),
        catalogue.get_generated("root_cause_analysis", 7, 5),
    ):
        episode = play(scenario)
        chance = random.Random(f"{scenario.id}:{seed:g}")  # noqa: S311 - a seeded search
        judge = functools.partial(time_grade, episode)
        judge("Nothing failed.", 3)
        ended = sorted(TextSearch(episode, chance, judge).run(seconds), reverse=True)[:SHOWN]
        for found in sorted((Found(judge(found.text, 5), found.text) for found in ended), reverse=True):
            print(f"{scenario.id}  {found.milliseconds:5.1f} ms  {found.text[:200]!r}")


if __name__ == "__main__":
    main()
