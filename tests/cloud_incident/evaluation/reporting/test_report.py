"""The report: one well-formed file that needs nothing else, in which no text of a trajectory becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_incident.evaluation.reporting import report as report_module
from cloud_incident.evaluation.reporting.losses import plot_losses
from cloud_incident.evaluation.reporting.markup import load_templates
from cloud_incident.evaluation.reporting.plots import choose_ticks, fit_label
from cloud_incident.evaluation.reporting.report import render_report
from cloud_incident.evaluation.statistics.comparison import compare_episodes
from cloud_incident.evaluation.statistics.curves import BINS, average_rewards, count_scores
from cloud_incident.evaluation.statistics.grouping import group_by_agent
from tests.cloud_incident.evaluation.statistics.test_metrics import RUN, SCORE
from tests.cloud_incident.evaluation.trajectories import hostile, made_up, played, repaired, step_taken

if TYPE_CHECKING:
    from cloud_incident.evaluation.running.trajectory import Trajectory
    from scenarios.catalogue import Catalogue

VOID = {"meta"}


class Page(HTMLParser):
    """The elements of a page; fails on one that is closed out of turn or not at all."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


@pytest.fixture(scope="module")
def episodes(catalogue: Catalogue) -> list[Trajectory]:
    return played(catalogue, seeds=(0, 1), repeats=2)


@pytest.fixture(scope="module")
def page(episodes: list[Trajectory]) -> Page:
    agents = group_by_agent(episodes)
    compared = compare_episodes(agents["random"], agents["oracle"], names=("random", "oracle"))
    return Page(render_report(episodes, title="Both", comparisons=[compared]))


def test_the_same_episodes_in_any_order_give_the_same_page(episodes: list[Trajectory]) -> None:
    assert render_report(list(reversed(episodes))) == render_report(episodes)


def test_it_needs_nothing_else(page: Page) -> None:
    style = Path(report_module.__file__).with_name("report.css").read_text("utf-8")
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & {name for name, _ in page.seen}
    assert all((link["href"] or "").startswith("#") for link in page.all("a"))
    assert not any(key.startswith("on") or key == "src" for _, given in page.seen for key in given)
    assert not re.search(r"url\(|@import|</", style)
    assert "color-scheme: light dark" in style
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_it_can_be_read_without_seeing_it(page: Page) -> None:
    ids = [given["id"] for _, given in page.seen if "id" in given]
    assert len(ids) == len(set(ids))
    plots = [plot for plot in page.all("svg") if plot.get("class") == "plot"]
    assert len(plots) >= 12
    for plot in plots:
        assert plot["role"] == "img"
        assert set((plot["aria-labelledby"] or "").split()) <= set(ids)
    assert all(link["href"] and link["href"][1:] in ids for link in page.all("a"))
    assert len(page.all("caption")) == len(page.all("table")) >= 5
    assert all(header.get("scope") in {"col", "row", "rowgroup"} for header in page.all("th"))
    assert page.all("html") == [{"lang": "en"}]


def test_it_says_what_there_is_to_say(page: Page) -> None:
    for words in (
        "oracle leads",
        "RP-003",
        "Answering P2",
        "oracle less random",
        "pass@2",
        "was not called before the steps ran out",
    ):
        assert words in page.words
    assert len([block for block in page.all("details") if block.get("class") == "scenario"]) == 9


def test_what_users_lost_is_drawn_for_each_episode_that_tells_it(catalogue: Catalogue) -> None:
    episodes = repaired(catalogue)
    page = Page(render_report(episodes))
    lost = [given for given in page.all("svg") if (given.get("aria-labelledby") or "").startswith("lost-1-")]
    assert len(lost) == len(episodes) == 2
    ids = [given["id"] for _, given in page.seen if "id" in given]
    assert len(ids) == len(set(ids))
    for episode in episodes:
        curves = episode["curves"]
        plot = plot_losses(episode, "one")
        assert plot is not None
        assert f"{curves['minutes_lost']['with_nothing_done']:g} with nothing done" in plot.legend.description
        assert [len(plot.trace(lane)) for lane in plot.lanes] == [len(curves["as_left"])] * 3
        flags = [mark.label for mark in plot.marks]
        assert flags[0].removeprefix("◂ ") == "fault"  # the arrow says that it came before the chart begins
        assert flags[1:3] == ["page", "first look"]
        assert len(flags) == 4 + len(curves["remediations"])
        assert flags[-1] == ("answer" if curves["answered"] else "end")
        for lane in plot.lanes:
            for x, y in plot.trace(lane):
                assert plot.left <= x <= plot.right
                assert plot.top - 1 <= y <= plot.floor + 1
        for mark, later in pairwise(plot.marks):
            assert mark.x <= later.x
            assert later.row > mark.row or later.x >= mark.x + 6 * len(mark.label)
    assert plot_losses(made_up(1.0), "none") is None


def test_texts_in_what_users_lost_stay_text(catalogue: Catalogue) -> None:
    (episode,) = repaired(catalogue, ["oracle"])
    attack = "</svg><script>alert(1)</script>"
    curves = episode["curves"]
    marks = [{**mark, "operation": attack, "verdict": attack} for mark in curves["remediations"]]
    told = {**curves, "best_repair": [attack], "remediations": marks}
    page = Page(render_report([{**episode, "curves": told}]))  # type: ignore[typeddict-item] # made of the same
    assert attack in page.words
    assert "script" not in {name for name, _ in page.seen}


def test_text_of_trajectories_stays_text() -> None:
    page = Page(render_report(hostile(), title="<script>"))
    assert "<script>alert(1)</script>" in page.words
    assert not {"script", "img"} & {name for name, _ in page.seen}
    assert not any(key.startswith("on") for _, given in page.seen for key in given)
    assert "\x00" not in page.words
    assert "\x1b" not in page.words


@given(st.text(), st.text())
def test_any_text_survives_as_text_and_as_attribute(words: str, value: str) -> None:
    template = load_templates().from_string('<p title="{{ value }}">{{ words }}</p>')
    page = Page(template.render(words=words, value=value))
    page.words.encode("utf-8")
    allowed = not re.search("[\r\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]", words)
    if allowed:
        assert page.words == words
    assert page.seen[0][0] == "p"
    assert set(page.all("p")[0]) == {"title"}


@pytest.mark.slow
@given(RUN)
def test_any_run_has_a_report(run: list[Trajectory]) -> None:
    assert Page(render_report(run)).all("svg")


@pytest.mark.slow
def test_ends_of_what_may_be_reported() -> None:
    with pytest.raises(ValueError, match="no trajectories"):
        render_report([])
    nothing_played = made_up(0.0, steps=[], failed="ConnectError: refused", seconds=0.0, done=False)
    page = Page(render_report([nothing_played]))
    assert "Failed: ConnectError: refused" in page.words
    many = [made_up(0.5, agent=f"agent-{number}", scenario_id=f"S-{number % 50}") for number in range(300)]
    page = Page(render_report(many))
    assert "Plots show the 8 best of 300 agents." in page.words
    assert "The 40 scenarios whose scores lie furthest apart, of 50." in page.words


@given(st.lists(SCORE))
def test_a_histogram_holds_every_score_once(scores: list[float]) -> None:
    counts = count_scores(scores)
    assert sum(counts) == len(scores)
    assert len(counts) == BINS
    assert counts[-1] == sum(score == 1 for score in scores)
    for tenth in range(10):
        assert counts[tenth] == sum(tenth / 10 <= score < (tenth + 1) / 10 for score in scores)


def test_a_reward_curve_stays_where_an_episode_ended() -> None:
    short = made_up(0.5, steps=[step_taken(reward=0.5)])
    long = made_up(0.5, steps=[step_taken(reward=reward) for reward in (0.1, -0.3, 0.8)])
    assert average_rewards([short, long]) == pytest.approx([0.0, 0.3, 0.15, 0.55])
    assert average_rewards([made_up(0.0, steps=[])]) == [0.0]


@given(st.floats(-20, 20), st.floats(-20, 20))
def test_ticks_are_few_even_and_enclose_the_values(first: float, second: float) -> None:
    low, high = sorted((first, second))
    ticks = choose_ticks(low, high)
    assert ticks[0] <= low + 1e-6
    assert high - 1e-6 <= ticks[-1]
    assert 0 in ticks
    assert 2 <= len(ticks) <= 8
    steps = [later - earlier for earlier, later in pairwise(ticks)]
    assert max(steps) == pytest.approx(min(steps), abs=1e-9)


@given(st.text(max_size=100), st.floats(20, 400))
def test_a_label_is_cut_to_fit(words: str, room: float) -> None:
    label = fit_label(words, room)
    assert label == words or (label.endswith("…") and len(label) <= len(words))
    assert fit_label("analytics-service", 250) == "analytics-service"
