"""Texts that are told to graders, drawn at random from words to which graders listen, and what each of them earns."""

from __future__ import annotations

import hashlib
import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

from env_core.episode import advance, begin
from env_core.reference import Reference
from scenarios.parsing import parse_action
from scenarios.vocabulary import DIAGNOSTICS, FAILURE_MODE_LIMIT, REMEDIATIONS, SUMMARY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from env_core.episode import Episode
    from scenarios.catalogue import Catalogue, Scenario

TELLINGS = Path(__file__).parent / "tellings.jsonl"
EARNED = Path(__file__).parent / "earned.json"
"""What each text earned when the graders' rules were last changed on purpose. `scripts/golden` writes it anew."""

DRAWN = 40
"""Texts that are drawn for each episode."""

_WORDS = (
    "restarted|rolled back|rolled|back|reverted|revert|rollback|scaled|disabled|turned|off|cleared|executed|flushed|"
    "we|it|them|they|the kubelet|nobody|by|was|were|had been|has|is|are|will|should|next week|to|if|last month|"
    "not|no|never|without|isn't|can't|didn't|ruled out|red herring|unrelated|healthy|instead of|rather than|no longer|"
    "and|or|nor|but|because|while|so|which|until|after|then|also|the|a|of|in|its|for|"
    ".|. |,|;|:|?|!|\n|(|)|-|–|=>|'|\"|`|"
    "connection pool|exhausted|memory|out of memory|leak|dns|lookup|certificate|expired|token|cache|stale|evicted|disk|"
    "full|cpu|throttled|limit|queue|backlog|lag|partition|index|missing|query|slow|lock|migration|deploy|bad|config|"
    "wrong|feature flag|turned on|retries|storm|ports|network|packets|lost|routes|bgp|withdrawn|credential|rotation|"
    "password|not set|variable|threads|stuck|replica|failover|clock|skew|traffic|bots|too many|too low|too few|gone|"
    "evidence|sign|fine|spare|plenty|each|every|loop|count|required|unnecessary|publish|get|rights|sessions|"
    "İ|ß|ﷺ|①|\u200b|w/o|’s"
)


def play_episodes(catalogue: Catalogue) -> Iterator[Episode]:
    """Episodes of the tasks that take texts, curated and generated, before their submission."""
    for name in ("RCA-001", "RCA-002", "RCA-003", "RP-001", "RP-002", "RP-003"):
        yield _play(catalogue.get(name))
    for seed in range(4):
        yield _play(catalogue.get_generated("root_cause_analysis", seed, 1 + seed))
        yield _play(catalogue.get_generated("remediation_planning", seed, 1 + seed))


def _play(scenario: Scenario) -> Episode:
    """An episode in which half of the plan was done and some evidence shown."""
    incident = scenario.incident
    episode = begin("told", Reference.to(scenario), scenario)
    for number, service in enumerate(incident.services[:3]):
        episode = advance(episode, parse_action([*DIAGNOSTICS][number], {"service": service}))
    if scenario.task.remediates:
        episode = advance(episode, parse_action("restart_service", {"service": incident.services[-1]}))
        for step in incident.plan.steps[: (len(incident.plan.steps) + 1) // 2]:
            given: dict[str, object] = {REMEDIATIONS[step.action].target.parameter: step.target}
            if step.replicas is not None:
                given["replicas"] = step.replicas[0]
            episode = advance(episode, parse_action(step.action, given))
    return episode


def list_told(episode: Episode, count: int = DRAWN, seed: int = 0) -> list[str]:
    """Texts to tell at the end of an episode: some about failures, some drawn at random from words and names."""
    draw = random.Random(f"{episode.reference.scenario_id}:{seed}")  # noqa: S311 - a seeded sample
    told = [json.loads(line)["text"] for line in TELLINGS.read_text("utf-8").splitlines()]
    incident = episode.incident
    names = [*incident.services, *sorted(incident.flags), *(step.target for step in incident.plan.steps)]
    terms = [re.sub(r"[*+<>]", "", term) for group in incident.truth.concepts for term in group]
    terms.append(incident.truth.answer)
    shown = " ".join(step.evidence.text for step in episode.steps if step.evidence is not None).split()
    listened_to = _WORDS.split("|")
    texts = draw.sample(told, min(count, len(told)) // 3)
    while len(texts) < count:
        words: list[str] = []
        while len(words) < draw.choice((5, 40, 200)):
            kind = draw.random()
            if kind < 0.15:
                words.append(draw.choice(names))
            elif kind < 0.2:
                words.append(draw.choice(told))
            elif kind < 0.3:
                words.append(draw.choice(terms))
            elif kind < 0.35:
                start = draw.randrange(len(shown))
                words += shown[start : start + draw.choice((1, 4, 5, 9))]
            elif kind < 0.4 and words:
                words += words[-draw.choice((1, 2, 3, 5)) :] * draw.choice((1, 2, 8))
            else:
                words.append(draw.choice(listened_to))
        texts.append(f"{' '.join(words)} .")
    return texts


def tell(episode: Episode, text: str) -> Episode:
    """The episode after the submission of a text, which is cut to the longest length."""
    if episode.task.submission.name == "submit_root_cause":
        answer = {"service": episode.incident.truth.service, "failure_mode": text[:FAILURE_MODE_LIMIT]}
    else:
        answer = {"summary": text[:SUMMARY_LIMIT]}
    return advance(episode, parse_action(episode.task.submission.name, answer))


def record_earned(episode: Episode, count: int = DRAWN, seed: int = 0) -> list[str]:
    """The score of each text, with the beginning of a digest of all points and their reasons."""
    rows = []
    for text in list_told(episode, count, seed):
        graded = tell(episode, text).grade
        assert graded is not None
        said = "\n".join(f"{point.name} {point.points} {point.reason}" for point in graded.breakdown)
        rows.append(f"{graded.score:.4f} {hashlib.sha256(said.encode()).hexdigest()[:12]}")
    return rows
