"""Rewards per step: which events a step is made of, what each earns, and the feedback that says so."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.progress import Outcome
from scenarios.vocabulary import to_reward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.evidence import Evidence
    from scenarios.incident import Item
    from scenarios.vocabulary import Action, RewardTable, Task

Events = tuple[tuple[str, int], ...]
"""What a step is made of: (event, reward in units of 1/`POINT`)."""

SCORE = "score"
"""The event of the submission that ends the episode. It earns the score, and its step says so itself."""

WATCHED: Events = (("watched", 0),)
"""The events of a step that lets time pass."""

_FEEDBACK = {
    "watched": "Time has passed",
    "new_service": "First look at {target}",
    "new_query": "Another look at {target}",
    "repeated_query": "Nothing new: this query was made before and its evidence has not changed",
    "hasty_query": "This query was made less than five minutes ago; nothing was done and no page has changed since",
    "changed_evidence": "The evidence has changed since this query was last made",
    "unknown_service": "No such service",
    "effective_remediation": "{step} took effect",
    "passed_verification": "{step} passed",
    "ineffective_remediation": "{step} was executed and changed nothing",
    "unmet_verification": "{step} was run, and what it checks has not recovered",
    "wrong_remediation": "{step} was executed and did not help",
    "unknown_target": "There is nothing of that name to act on",
    "past_halfway": "Second half of the steps",
    "timeout": "The steps ran out without a submission",
}

_NO_SUM = "What single steps earn is no part of the score."
"""Said where steps begin to cost, so that nobody stops for that."""

_TOLD_ELSEWHERE = {"past_halfway", "unknown_service", "unknown_target"}
"""Events that say nothing beside what they earn and the error of their step."""


def sum_events(events: Events) -> int:
    """The sum of a step's events, in units of 1/`POINT`."""
    return sum(points for _, points in events)


def reward_query(
    table: RewardTable, item: Item, evidence: Evidence, shown: Mapping[Item, Evidence], *, hasty: bool
) -> Events:
    """The event of a query of a known service, given the evidence last shown for every query so far.

    `hasty`: nothing has happened since it was made the last time, as `Course.is_hasty` has it.
    """
    before = shown.get(item)
    if before is not None:
        if before is evidence or before.text == evidence.text:
            return (("repeated_query", table.repeated_query),)
        return (("hasty_query", table.repeated_query),) if hasty else (("changed_evidence", 0),)
    if any(service == item[1] for _, service in shown):
        return (("new_query", table.new_query),)
    return (("new_service", table.new_service),)


def reward_remediation(table: RewardTable, outcome: Outcome, *, verifies: bool, known: bool) -> Events:
    """The event of a remediation; `verifies`: it is a step that only checks; `known`: its target exists."""
    match outcome:
        case Outcome.EFFECTIVE:
            return (("passed_verification" if verifies else "effective_remediation", table.effective_remediation),)
        case Outcome.INEFFECTIVE:
            return (("unmet_verification" if verifies else "ineffective_remediation", 0),)
        case Outcome.WRONG:
            return (("wrong_remediation" if known else "unknown_target", table.wrong_remediation),)


def is_first_late(task: Task, number: int) -> bool:
    """Whether a step is the first one that loses by its 1-based number."""
    return 2 * (number - 1) <= task.max_steps < 2 * number


def reward_lateness(task: Task, number: int) -> Events:
    """What a step that is not the task's submission loses by its 1-based number."""
    late: Events = (("past_halfway", task.rewards.past_halfway),) if 2 * number > task.max_steps else ()
    return (*late, ("timeout", task.rewards.timeout)) if number >= task.max_steps else late


def word_feedback(
    action: Action,
    events: Events,
    outcome: Outcome | None,
    *,
    dense: bool,
    out_of_time: bool,
    first_late: bool = False,
    report: str = "",
) -> str:
    """What a step is told. Without dense rewards it says neither rewards nor whether a remediation was right.

    With a `report` of what it did, it says that, and of its merit nothing but the reward. The first step that is late
    is told once that such rewards are no part of the score.
    """
    if dense:
        earned = f"{report} Reward {to_reward(events[0][1]):+.2f}." if report else ""
        rewards = _word_rewards(action.name, action.target, events[1:] if report else events)
        return " ".join(filter(None, (earned, rewards, _NO_SUM if first_late else "")))
    if report:
        return f"{report} {_FEEDBACK['timeout']}." if out_of_time else report
    nothing = events[0][0] in {"unknown_target", "unknown_service"}
    done = f"{action.step} was executed." if outcome is not None else f"{action.name} was answered."
    text = f"{_FEEDBACK[events[0][0]]}." if nothing else done
    return f"{text} {_FEEDBACK['timeout']}." if out_of_time else text


def word_events(action: Action, events: Events, report: str = "") -> str:
    """What a step is told, for people who do not train: without rewards. A `report` stands for its first event."""
    words = events[1:] if report else events
    told = (_word_event(action.name, action.target, event) for event, _ in words if event not in _TOLD_ELSEWHERE)
    return " ".join(filter(None, (report, *(f"{text}." for text in told))))


@lru_cache(maxsize=4096)
def _word_rewards(name: str, target: str, events: Events) -> str:
    """Each event with what it earns. Few are told apart, and every step is told them."""
    return " ".join(
        f"{_word_event(name, target, event)} (reward {to_reward(points):+.2f})." for event, points in events
    )


def _word_event(name: str, target: str, event: str) -> str:
    return _FEEDBACK[event].format(target=target, step=f"{name} {target}")
