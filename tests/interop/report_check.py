"""Opens reports in a real browser: nothing said on the console, nothing requested, nothing wider than the window, every
plot drawn, and no finding of axe-core. Usage: report_check.py AXE DIRECTORY; pages and screenshots go to DIRECTORY."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_incident.evaluation.reporting import render_report
from cloud_incident.evaluation.statistics import compare_episodes, group_by_agent
from scenarios.catalogue import Catalogue
from tests.cloud_incident.evaluation.trajectories import hostile, made_up, played, repaired
from tests.interop.chromium import chromium

if TYPE_CHECKING:
    from tests.interop.chromium import Page

_WIDTHS = (1440, 375)
_RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
_UNDRAWN = """[...document.querySelectorAll('svg.plot')].filter(plot =>
    plot.getBoundingClientRect().height < 40 || !plot.querySelector('.dot, .bar, .line')).length"""
_OUTSIDE = """[...document.querySelectorAll('svg.plot')].filter(plot => {
    const frame = plot.getBoundingClientRect();
    return [...plot.querySelectorAll('text, rect, circle, line, polyline')].some(mark => {
        const box = mark.getBoundingClientRect();
        return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
    });
}).map(plot => plot.querySelector('title').textContent)"""
_LOST = """[...document.querySelectorAll('svg.plot:has(.flag)')].filter(plot =>
    [...plot.querySelectorAll('.line')].filter(line => line.getBoundingClientRect().width > 150).length === 3).length"""
_OPEN = "document.querySelectorAll('details').forEach(one => { one.open = true })"
_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_FINDINGS = (
    f"axe.run(document, {_RULES}).then(found => found.violations.map(one =>"
    """
    `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 150)).join(' | ')}`))"""
)


def _reports() -> dict[str, str]:
    episodes = played(Catalogue(), seeds=(0, 1), repeats=4)
    agents = group_by_agent(episodes)
    compared = [compare_episodes(agents["random"], agents["oracle"], names=("random", "oracle"))]
    many = [
        made_up((5 * number + 3 * agent) % 11 / 10, agent=f"agent-{agent}", scenario_id=f"RCA-{number:03}")
        for number in range(30)
        for agent in range(10)
    ]
    return {
        "report": render_report(episodes, title="Oracle and random play", comparisons=compared),
        "hostile": render_report(hostile(), title="<script>alert(1)</script>"),
        "many": render_report(many, title="Ten agents"),
        "repaired": render_report(repaired(Catalogue()), title="What users lost"),
    }


def check(page: Page, name: str, file: Path, axe: str) -> None:
    """One page, at every width, light and dark."""
    for width in _WIDTHS:
        for dark in (False, True):
            where = f"{name}-{width}-{'dark' if dark else 'light'}"
            page.said.clear()
            page.requested.clear()
            page.open(file.as_uri(), width=width, dark=dark)
            page.screenshot(file.with_name(f"{where}.png"))
            _hold(page.value(_WIDE) == 0, f"{where}: wider than the window")
            page.value(_OPEN)
            _hold(page.value(_WIDE) == 0, f"{where}: wider than the window when all is unfolded")
            plots = page.value("document.querySelectorAll('svg.plot').length")
            _hold(plots >= 4, f"{where}: {plots} plots")
            _hold(page.value(_UNDRAWN) == 0, f"{where}: plots without marks")
            lost = page.value(_LOST)
            _hold(lost == (2 if name == "repaired" else 0), f"{where}: {lost} plots of what users lost")
            outside = page.value(_OUTSIDE)
            _hold(not outside, f"{where}: marks outside of {outside}")
            page.value(axe)
            findings = page.value(_FINDINGS)
            _hold(not findings, "\n".join([f"{where}:", *findings]))
            _hold(not page.said, f"{where}: the console says {page.said}")
            _hold(page.requested == [file.as_uri()], f"{where}: requests {page.requested}")
            print(f"{where}: {plots} plots, nothing on the console, no request, no overflow, no axe finding")


def _hold(condition: bool, otherwise: str) -> None:
    if not condition:
        raise SystemExit(otherwise)


def main() -> None:
    axe, directory = Path(sys.argv[1]).read_text("utf-8"), Path(sys.argv[2]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    with chromium() as page:
        for name, text in _reports().items():
            file = directory / f"{name}.html"
            file.write_text(text, "utf-8")
            check(page, name, file, axe)


if __name__ == "__main__":
    main()
