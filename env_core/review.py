"""The review of an episode that is over: what each step told or did, and what users lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from scenarios.progress import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from env_core.episode import Episode, Step
    from scenarios.incident import Item

_CLOSED = ConfigDict(extra="forbid")

_TEXTS = {
    "told": "leaves {left} of {before} explanations",
    "told_nothing": "rules out nothing that was not ruled out before",
    "late": "came after something was changed, and counts no more",
    "effective": "brought users nearer to being served again",
    "neutral": "left as many repairs to be done as before",
    "wrong": "cost users, lost messages, or disturbed what had no trouble",
}
"""The text of every verdict on a step."""


@with_config(_CLOSED)
class ReviewedStep(TypedDict):
    """A look or a remediation: a verdict that stays the same, and its text."""

    step: int
    action: str
    verdict: str
    text: str


@with_config(_CLOSED)
class LossReport(TypedDict):
    """Minutes in which nobody is served, over so many minutes from the answer on."""

    minutes: int
    as_left: float
    with_nothing_done: float
    with_the_best_repair: float


@with_config(_CLOSED)
class Review(TypedDict):
    """What each step told or did, and what users lose."""

    steps: list[ReviewedStep]
    losses: NotRequired[LossReport]


def review_steps(episode: Episode) -> Review | None:
    """The review of an episode; None where nobody counts explanations: of an incident without a proof."""
    if not episode.incident.know(episode.task.id, ()).start:
        return None
    review: Review = {"steps": list(_judge_steps(episode))}
    losses = episode.losses
    if losses is not None:
        review["losses"] = {
            "minutes": losses.minutes,
            "as_left": round(losses.actual, 1),
            "with_nothing_done": round(losses.nothing, 1),
            "with_the_best_repair": round(losses.best, 1),
        }
    return review


def _judge_steps(episode: Episode) -> Iterator[ReviewedStep]:
    seen: set[Item] = set()
    for step in episode.steps:
        if step.evidence is not None:
            yield _judge_look(episode, step, seen)
        elif step.outcome is not None:
            verdict = "neutral" if step.outcome is Outcome.INEFFECTIVE else step.outcome.value
            yield {"step": step.number, "action": step.action.step, "verdict": verdict, "text": _TEXTS[verdict]}


def _judge_look(episode: Episode, step: Step, seen: set[Item]) -> ReviewedStep:
    item = (step.action.name, step.action.target)
    before = episode.incident.know(episode.task.id, seen).left
    if item in episode.seen:
        seen.add(item)
    left = episode.incident.know(episode.task.id, seen).left
    verdict = "told" if left < before else "told_nothing" if item in episode.seen else "late"
    text = _TEXTS[verdict].format(left=left, before=before)
    return {"step": step.number, "action": step.action.step, "verdict": verdict, "text": text}


def write_review(review: Review) -> str:
    """A review as text, a line for each step."""
    lines = [f"  {step['step']}. {step['action']}: {step['text']}" for step in review["steps"]]
    lines = ["Step by step", *lines] if lines else []
    if "losses" in review:
        lost = review["losses"]
        lines.append(
            f"Over the {lost['minutes']} min after the answer users lose as much as in {lost['as_left']} min in which "
            f"nobody is served; {lost['with_nothing_done']} if nothing had been done, {lost['with_the_best_repair']} "
            "with the best repair from then on."
        )
    return "\n".join(lines)
