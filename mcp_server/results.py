"""Tool results: short text for the model, numbers for programs, long evidence in pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult, TextContent

from env_core.briefing import describe_standing
from env_core.transition import Transition

if TYPE_CHECKING:
    from env_core.episode import Episode
    from scenarios.vocabulary import Action

PAGE_CHARACTERS = 12_000
"""About 4,000 tokens a page: well under what clients cut, and enough for most evidence in one."""


def reply(text: str, structured: dict[str, Any] | None = None, *, error: bool = False) -> CallToolResult:
    """A tool result."""
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=structured, is_error=error)


def refusal(text: str) -> CallToolResult:
    """A call that was refused; nothing has changed."""
    return reply(text, error=True)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a longer text, cut between lines."""

    text: str
    number: int
    of: int


def page_of(text: str, number: int, size: int = PAGE_CHARACTERS) -> Page:
    """A page of a text by its number from 1; one past the end is the last."""
    if len(text) <= size:
        return Page(text, 1, 1)
    pages: list[str] = []
    for line in _pieces(text, size):
        if pages and len(pages[-1]) + 1 + len(line) <= size:
            pages[-1] += f"\n{line}"
        else:
            pages.append(line)
    number = min(number, len(pages))
    return Page(pages[number - 1], number, len(pages))


def _pieces(text: str, size: int) -> list[str]:
    return [line[start : start + size] for line in text.split("\n") for start in range(0, max(len(line), 1), size)]


def step_reply(transition: Transition, page_size: int = PAGE_CHARACTERS) -> CallToolResult:
    """What a step showed, what it earned, what remains; after the last step the score and the debrief."""
    step = transition.episode.last
    if step is None:
        raise ValueError("no step has been taken")
    evidence = _paged(step.evidence.text, step.action, 1, page_size) if step.evidence is not None else None
    return reply(transition.text(evidence), dict(transition.report()), error=step.error is not None)


def further_page(episode: Episode, action: Action, number: int, page_size: int = PAGE_CHARACTERS) -> CallToolResult:
    """A further page of evidence already returned. It is not a step."""
    evidence = episode.shown.get((action.name, action.target))
    if evidence is None:
        return refusal(f"{action.step} has not been queried yet; leave page out for a first look.")
    text = _paged(evidence.text, action, number, page_size)
    return reply(f"{text}\n\nNot a step. {describe_standing(episode)}", dict(Transition(episode).report()))


def _paged(text: str, action: Action, number: int, page_size: int) -> str:
    page = page_of(text, number, page_size)
    if page.of == 1 and number == 1:
        return page.text
    more = f"call {action.name} with page={page.number + 1} for more (not a step)" if page.number < page.of else "end"
    return f"{page.text}\n… page {page.number} of {page.of}; {more}"
