"""The review of an episode that is over: what each step told or did, what was left open, and what users lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from env_core.episode import find_step_target
from scenarios.progress import Outcome
from scenarios.vocabulary import Submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from env_core.episode import Episode, Step
    from scenarios.incident import Explanation, Item

_CLOSED = ConfigDict(extra="forbid")

_TEXTS = {
    "told": "leaves {left} of {before} explanations",
    "confirmed": "rules out none of the {left} explanations that were left",
    "certain": "confirms what was known: one explanation was left, and it fits",
    "late": "came after step {decided_at}, which {decided}: what tells the cause counts until then",
    "recovery": "shows that users are served again",
    "waited": "let some minutes pass",
    "unknown": "asked for what does not exist",
    "effective": "brought users nearer to being served again",
    "neutral": "left as many repairs to be done as before",
    "wrong": "cost users, lost messages, or disturbed what had no trouble",
}
"""The text of every verdict on a step."""

_MOST_EXPLANATIONS = 5
"""Explanations that are told one by one in a text."""


@with_config(_CLOSED)
class ReviewedStep(TypedDict):
    """A look or a remediation: a verdict that stays the same, and its text."""

    step: int
    action: str
    verdict: str
    text: str


@with_config(_CLOSED)
class Look(TypedDict):
    """A diagnostic of a service."""

    action: str
    service: str


@with_config(_CLOSED)
class OpenExplanation(TypedDict):
    """A failure that was as possible by all that counts as seen, and a look that would have ruled it out.

    Where nothing would have failed, the service is empty.
    """

    service: str
    failure: str
    ruled_out_by: Look


@with_config(_CLOSED)
class LossReport(TypedDict):
    """Minutes in which nobody is served, over so many minutes from the answer on."""

    minutes: int
    as_left: float
    with_nothing_done: float
    with_the_best_repair: float


@with_config(_CLOSED)
class RemediationMark(TypedDict):
    """A remediation, the moment of it, and the verdict on its step."""

    step: int
    at: str
    operation: str
    target: str
    verdict: str


@with_config(_CLOSED)
class MinutesLost(TypedDict):
    """Minutes in which nobody is served, over all of the time that is drawn."""

    as_left: float
    with_nothing_done: float
    with_the_best_repair: float


@with_config(_CLOSED)
class CurvesReport(TypedDict):
    """The share of all worth that was not served, 0 to 1, three times on the same noise.

    Each value is the mean of so many `minutes_each`. The first begins `since`, five minutes before the page, and the
    last ends when a repair at the answer would have been judged. The `best_repair` begins at the first look.
    """

    since: str
    minutes_each: int
    as_left: list[float]
    with_nothing_done: list[float]
    with_the_best_repair: list[float]
    minutes_lost: MinutesLost
    best_repair: list[str]
    fault_at: str
    page_at: str
    first_look_at: str
    ended_at: str
    answered: bool
    remediations: list[RemediationMark]


@with_config(_CLOSED)
class Review(TypedDict):
    """What each step told or did, which explanations were left, and what users lose.

    Evidence counts until step `decided_at`, if one is named. `curves` tell what users lose as time passes.
    """

    steps: list[ReviewedStep]
    decided_at: int | None
    explanations: list[OpenExplanation]
    losses: NotRequired[LossReport]
    curves: NotRequired[CurvesReport]


def review_steps(episode: Episode, *, curves: bool = True) -> Review | None:
    """The review of an episode; None where nobody counts explanations: of an incident without a proof.

    The `curves` take a second or some if the course has not traced them.
    """
    if not episode.is_proved:
        return None
    looked_at = {service for _, service in episode.shown}
    left = episode.incident.explain(episode.task.id, episode.seen, looked_at)
    review: Review = {
        "steps": list(_judge_steps(episode)),
        "decided_at": episode.decided_at,
        "explanations": [_report_explanation(each) for each in left],
    }
    losses = episode.losses
    if losses is not None:
        review["losses"] = {
            "minutes": losses.minutes,
            "as_left": round(losses.actual, 1),
            "with_nothing_done": round(losses.nothing, 1),
            "with_the_best_repair": round(losses.best, 1),
        }
    traced = report_curves(episode) if curves else None
    if traced is not None:
        review["curves"] = traced
    return review


def is_traced(episode: Episode) -> bool:
    """Whether the curves of the review of an episode are at hand, if it has any."""
    return episode.grade is None or not episode.task.asks_repair or episode.course.is_traced


def report_curves(episode: Episode) -> CurvesReport | None:
    """What users lost as time passed; None before the end, and where no system runs or nobody judges by its runs."""
    traced = episode.course.trace_losses() if episode.grade is not None and episode.task.asks_repair else None
    if traced is None:
        return None
    as_left, nothing, best = traced.actual, traced.nothing, traced.best
    deeds = [step for step in episode.steps if step.outcome is not None]
    return {
        "since": traced.since,
        "minutes_each": traced.minutes,
        "as_left": list(as_left.shares),
        "with_nothing_done": list(nothing.shares),
        "with_the_best_repair": list(best.shares),
        "minutes_lost": {
            "as_left": round(as_left.lost, 1),
            "with_nothing_done": round(nothing.lost, 1),
            "with_the_best_repair": round(best.lost, 1),
        },
        "best_repair": list(traced.repair),
        "fault_at": traced.fault_at,
        "page_at": traced.page_at,
        "first_look_at": traced.first_look_at,
        "ended_at": traced.ended_at,
        "answered": not episode.truncated,
        "remediations": [
            {
                "step": step.number,
                "at": order.at,
                "operation": order.operation,
                "target": order.target,
                "verdict": _judge_deed(step)[0],
            }
            for step, order in zip(deeds, traced.ordered, strict=True)
        ],
    }


def _report_explanation(left: Explanation) -> OpenExplanation:
    action, service = left.excluded_by
    return {
        "service": left.service,
        "failure": left.failure,
        "ruled_out_by": {"action": action, "service": service},
    }


def _judge_steps(episode: Episode) -> Iterator[ReviewedStep]:
    seen: set[Item] = set()
    for step in episode.steps:
        if isinstance(step.action.declaration, Submission):
            continue
        verdict, text = _judge_look(episode, step, seen) if step.evidence is not None else _judge_deed(step)
        done = " ".join(filter(None, (step.action.step, find_step_target(step.action))))
        yield {"step": step.number, "action": done, "verdict": verdict, "text": text}


def _judge_deed(step: Step) -> tuple[str, str]:
    """The verdict on a remediation, on a wait, or on a look at nothing, and its text."""
    if step.outcome is not None:
        verdict = "neutral" if step.outcome is Outcome.INEFFECTIVE else step.outcome.value
    else:
        verdict = "unknown" if step.error else "waited"
    return verdict, _TEXTS[verdict]


def _judge_look(episode: Episode, step: Step, seen: set[Item]) -> tuple[str, str]:
    """The verdict on a look and its text. What it shows is added to what was `seen` as long as that counts."""
    if step.recovered and episode.decided_at is not None:
        return "recovery", _TEXTS["recovery"]
    if episode.decided_at is not None and step.number > episode.decided_at:
        decided = "acted on the cause" if episode.task.asks_repair else "was a remediation"
        return "late", _TEXTS["late"].format(decided_at=episode.decided_at, decided=decided)
    before = episode.incident.know(episode.task.id, seen).left
    seen |= step.counted
    left = episode.incident.know(episode.task.id, seen).left
    if left < before:
        return "told", _TEXTS["told"].format(left=left, before=before)
    if step.recovered:  # where nothing had to be done for it
        return "recovery", _TEXTS["recovery"]
    return "confirmed", _TEXTS["certain" if left == 1 else "confirmed"].format(left=left)


def write_review(review: Review) -> str:
    """A review as text, a line for each step and for each explanation that was left."""
    lines = [f"  {step['step']}. {step['action']}: {step['text']}" for step in review["steps"]]
    lines = ["Step by step", *lines] if lines else []
    lines += _list_explanations(review)
    if "losses" in review:
        lost = review["losses"]
        lines.append(
            f"In the {lost['minutes']} min after the answer users lose as much as in {lost['as_left']} min in which "
            f"nobody is served. With nothing done it would be {lost['with_nothing_done']} min, and with the best "
            f"repair from the answer on {lost['with_the_best_repair']} min."
        )
    return "\n".join(lines)


def _list_explanations(review: Review) -> Iterator[str]:
    """The explanations that were left, and how each could have been ruled out."""
    left = review["explanations"]
    if not left:
        return
    until = "" if review["decided_at"] is None else f" before step {review['decided_at']}"
    yield f"Also possible by what was seen{until}"
    for each in left[:_MOST_EXPLANATIONS]:
        named = f"{each['service']}: {each['failure']}" if each["service"] else each["failure"]
        look = each["ruled_out_by"]
        yield f"  {named} ({look['action']} {look['service']} would have ruled it out)"
    if len(left) > _MOST_EXPLANATIONS:
        yield f"  and {len(left) - _MOST_EXPLANATIONS} more"
