"""Tool results: text, and structured content that says the same for clients that show it alone; evidence in pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult, TextContent

from env_core.briefing import describe_named_standing
from env_core.transition import Transition
from mcp_server.meta import PAGE, PageMark

if TYPE_CHECKING:
    from env_core.episode import Episode
    from scenarios.vocabulary import Action

PAGE_CHARACTERS = 12_000
"""About 4,000 tokens a page: well under what clients cut, and enough for most evidence in one."""


class StructuredContent(StrEnum):
    """Which parts of a result are sent. Each says everything: `both` is for clients that show their model one of the
    two, `off` and `only` (structured content alone) are for those that show both."""

    BOTH = "both"
    OFF = "off"
    ONLY = "only"

    def fit(self, result: CallToolResult) -> CallToolResult:
        """A result with the parts that are sent. What went wrong is always told in text."""
        if self is StructuredContent.OFF:
            result.structured_content = None
        elif self is StructuredContent.ONLY and result.structured_content is not None and not result.is_error:
            result.content = [TextContent(type="text", text="The result is in the structured content.")]
        return result


def build_result(
    text: str, structured: dict[str, Any] | None = None, meta: dict[str, Any] | None = None, *, error: bool = False
) -> CallToolResult:
    """A tool result. `error`: the model is told that the call, or the step that it took, went wrong.

    `structured` is what programs read. The text goes before it, for clients that show their model nothing else.
    """
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=None if structured is None else {"text": text, **structured},
        is_error=error,
        meta=meta,
    )


def name_incident(result: CallToolResult, episode: Episode) -> None:
    """Say at the end of a result which incident it is about, by its handle."""
    for block in result.content:
        if isinstance(block, TextContent):
            block.text += f"\nepisode_id: {episode.id}"
            if result.structured_content is not None:
                result.structured_content["text"] = block.text


def build_refusal(text: str) -> CallToolResult:
    """A call that was refused; nothing has changed."""
    return build_result(text, error=True)


@dataclass(frozen=True, slots=True)
class TextPage:
    """One page of a longer text, cut between lines: the page `number`, from 1, of so many."""

    text: str
    number: int
    of: int

    @property
    def mark(self) -> PageMark:
        """What tells programs which page this is."""
        return {"number": self.number, "of": self.of, "characters": len(self.text)}


def cut_page(text: str, number: int, size: int = PAGE_CHARACTERS) -> TextPage:
    """A page of a text by its number from 1, of at most `size` characters; a number past the end gives the last."""
    if len(text) <= size:
        return TextPage(text, 1, 1)
    pages: list[str] = []
    for line in _split_lines(text, size):
        if pages and len(pages[-1]) + 1 + len(line) <= size:
            pages[-1] += f"\n{line}"
        else:
            pages.append(line)
    number = min(number, len(pages))
    return TextPage(pages[number - 1], number, len(pages))


def _split_lines(text: str, size: int) -> list[str]:
    return [line[start : start + size] for line in text.split("\n") for start in range(0, max(len(line), 1), size)]


def build_step_result(
    transition: Transition, page_size: int = PAGE_CHARACTERS, *, rewards: bool = True
) -> CallToolResult:
    """What a step showed, with `rewards` what it earned, what remains; after the last step the score and the debrief.

    Raises:
        ValueError: if no step has been taken.
    """
    step = transition.episode.last
    if step is None:
        raise ValueError("no step has been taken")
    if step.evidence is None:
        text = transition.text(rewards=rewards)
        return build_result(text, dict(transition.report()), error=step.error is not None)
    page = cut_page(step.evidence.text, 1, page_size)
    text = transition.text(_render_page(page, step.action), rewards=rewards)
    return build_result(text, dict(transition.report()), {PAGE: page.mark})


def build_further_page(
    episode: Episode, action: Action, number: int, page_size: int = PAGE_CHARACTERS
) -> CallToolResult:
    """A further page of evidence already returned. It is not a step."""
    evidence = episode.shown.get((action.name, action.target))
    if evidence is None:
        return build_refusal(
            f"{action.step} has not been queried yet in {episode.reference.scenario_id}, so it has no page {number}; "
            "nothing was done. Leave `page` out for a first look."
        )
    page = cut_page(evidence.text, number, page_size)
    if page.number < number:
        return build_refusal(
            f"{episode.reference.scenario_id}: there is no page {number} of {action.step}; its evidence ends with page "
            f"{page.of} of {page.of}. Nothing was changed. Without page the query is made again, which is a step."
        )
    text = f"{_render_page(page, action)}\n\nNot a step. {describe_named_standing(episode)}"
    return build_result(text, dict(Transition(episode).report()), {PAGE: page.mark})


def _render_page(page: TextPage, action: Action) -> str:
    """A page, and after it which page it is, unless the evidence has one page."""
    if page.of == 1:
        return page.text
    more = f"call {action.name} with page={page.number + 1} for more (not a step)" if page.number < page.of else "end"
    return f"{page.text}\n… page {page.number} of {page.of}; {more}"
