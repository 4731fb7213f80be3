"""Plays incidents in a client that shows MCP Apps, in a real browser: what the page should show is there, nothing is
said on the console, nothing is asked of anyone, nothing is wider than its frame, and axe-core finds nothing serious.

Usage: app_check.py SERVER PLAYS REPAIRED HOST AXE DIRECTORY. HOST holds the bundled host; screenshots go to DIRECTORY.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Frame, FrameLocator, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_WIDTHS = (800, 375)
_PATIENCE_MS = 30_000
"""How long something may take to appear, beside other clients."""
_AXE = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Pages(SimpleHTTPRequestHandler):
    """Serves the host, and the sandbox with the policy that the specification has for what a page declares."""

    def end_headers(self) -> None:
        if self.path.startswith("/sandbox.html"):
            csp = json.loads(parse_qs(urlsplit(self.path).query).get("csp", ["{}"])[0])
            resources = " ".join(csp.get("resourceDomains", []))
            connect = " ".join(csp.get("connectDomains", [])) or "'none'"
            self.send_header(
                "Content-Security-Policy",
                f"default-src 'none'; script-src 'self' 'unsafe-inline' {resources}; "
                f"style-src 'self' 'unsafe-inline' {resources}; img-src 'self' data: {resources}; "
                f"media-src 'self' data: {resources}; object-src 'none'; base-uri 'self'; connect-src {connect}",
            )
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def pages(directory: str) -> Iterator[int]:
    server = ThreadingHTTPServer(("", 0), partial(Pages, directory=directory))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


class Conversation:
    """A conversation in the host: tools are called as a model would, and what they show is looked at."""

    def __init__(self, browser: Browser, port: int, server: str, width: int, theme: str, **options: str) -> None:
        self._context = browser.new_context(viewport={"width": width, "height": 2600}, color_scheme="light")
        self.page: Page = self._context.new_page()
        self.said: list[str] = []
        self.requested: set[str] = set()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("requestfailed", lambda request: self.said.append(f"failed: {request.url}"))
        self.page.on("request", lambda request: self.requested.add(request.url))
        asked = {
            "server": f"{server}/mcp",
            "sandbox": f"http://localhost:{port}/sandbox.html",
            "theme": theme,
            **options,
        }
        self.page.goto(f"http://127.0.0.1:{port}/host.html?{urlencode(asked)}")
        self.page.wait_for_function("window.ready")
        self.port, self.server = port, server

    def _heard(self, message: ConsoleMessage) -> None:
        """Warnings and errors, but for the one on what the specification asks of the host's sandbox."""
        if message.type in {"warning", "error"} and "can escape its sandboxing" not in message.text:
            self.said.append(message.text)

    def call(self, tool: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], FrameLocator | None]:
        """What the model reads, and the app if one is shown."""
        result = self.page.evaluate("([name, input]) => window.call(name, input)", [tool, arguments])
        if result["frame"] is None:
            return result, None
        shown = self.page.frame_locator(f"iframe[name=sandbox-{result['frame']}]").frame_locator("iframe")
        expect(shown.locator("body")).not_to_be_empty()
        return result, shown

    def frame(self, number: int) -> Frame:
        sandbox = self.page.frame(name=f"sandbox-{number}")
        assert sandbox is not None
        return sandbox.child_frames[0]

    def hold_quiet(self, where: str) -> None:
        """Nothing on the console, and no request but of the host's own to its pages and the server."""
        own = (f"http://127.0.0.1:{self.port}/", f"http://localhost:{self.port}/sandbox", f"{self.server}/mcp")
        foreign = [url for url in self.requested if not url.startswith((*own, "data:", "about:"))]
        hold(not self.said, f"{where}: the console says {self.said}")
        hold(not foreign, f"{where}: requests {foreign}")

    def close(self) -> None:
        self._context.close()


def hold(condition: object, otherwise: str) -> None:
    if not condition:
        raise SystemExit(otherwise)


class Check:
    """Looks at apps: overflow, axe-core, a screenshot."""

    def __init__(self, axe: str, directory: Path) -> None:
        self.axe, self.directory = axe, directory
        self.looks = 0

    def look(self, talk: Conversation, number: int, where: str) -> None:
        frame = talk.frame(number)
        hold(frame.evaluate(_OVERFLOW) == 0, f"{where}: wider than its frame")
        frame.evaluate(self.axe)
        findings = [
            f"{one['impact']} {one['id']}: {one['nodes'][0]['html'][:160]}"
            for one in frame.evaluate(_AXE)
            if one["impact"] in {"serious", "critical"}
        ]
        hold(not findings, "\n".join([f"{where}:", *findings]))
        shown = talk.page.locator(f"iframe[name=sandbox-{number}]")
        shown.scroll_into_view_if_needed()  # what is out of sight is not laid out
        talk.page.wait_for_timeout(300)
        shown.screenshot(path=str(self.directory / f"{where}.png"))
        self.looks += 1


def played(check: Check, talk: Conversation, play: dict[str, Any], where: str, secret: str) -> None:
    """A whole perfect play, with looks that cost nothing to the plan's score beside it."""
    started, shown = talk.call("start_drill", {"incident": play["scenario_id"]})
    assert shown is not None
    handle = started["structured"]["episode_id"]
    expect(shown.get_by_role("tab", name="Alert")).to_have_attribute("aria-selected", "true")
    expect(shown.get_by_text("firing since")).to_be_visible()
    check.look(talk, 0, f"{where}-alert")
    number = 0
    for call in play["calls"]:
        result, shown = talk.call(call["tool"], {**call["arguments"], "episode_id": handle})
        hold((call["evidence"] or "") in result["text"], f"{where}: the text of {call['tool']} has not the evidence")
        hold(result["text"] == result["structured"]["text"], f"{where}: {call['tool']} says two different texts")
        if shown is None:
            continue
        number += 1
        if call["evidence"] is not None:
            line = call["evidence"].splitlines()[1]
            expect(shown.get_by_text(line, exact=True).first).to_be_visible()
            hold(not re.search(secret, shown.locator("body").inner_text()), f"{where}: the truth is told early")
            check.look(talk, number, f"{where}-{number}-{call['tool']}")
    assert shown is not None
    expect(shown.locator(".score")).to_have_text("1.00 of 1.00")
    check.look(talk, number, f"{where}-score")
    shown.get_by_role("tab", name="Score").press("ArrowLeft")
    expect(shown.get_by_role("tab", name="Steps")).to_be_focused()
    expect(shown.locator("ol.steps li")).to_have_count(len(play["calls"]))
    check.look(talk, number, f"{where}-steps")
    shown.get_by_role("tab", name="Map").click()
    expect(shown.locator(".node.root")).to_have_count(1)
    check.look(talk, number, f"{where}-end-map")
    shown.get_by_label("Moment").press("Home")
    expect(shown.get_by_role("tab", name="Score")).to_have_count(0)
    expect(shown.locator(".node.root")).to_have_count(0)


def lost(check: Check, talk: Conversation, play: dict[str, Any], where: str) -> None:
    """What users lost in an incident that runs is drawn with its score, and nowhere before."""
    started, shown = talk.call("start_drill", {"incident": play["scenario_id"]})
    handle = started["structured"]["episode_id"]
    number = 0
    for action in play["actions"]:
        _, shown = talk.call(action["action_type"], {**action["parameters"], "episode_id": handle})
        if shown is None:
            continue
        number += 1
        if action is not play["actions"][-1]:
            expect(shown.locator(".losses")).to_have_count(0)
    assert shown is not None
    chart = shown.locator(".losses svg")
    expect(chart).to_have_attribute("aria-label", re.compile("your actions .* nothing done .* best repair"))
    for lane in ("as_left", "with_nothing_done", "with_the_best_repair"):
        box = chart.locator(f".{lane} polyline").bounding_box()
        hold(box is not None and box["width"] > 200 and box["height"] > 20, f"{where}: {lane} is drawn as {box}")
    for kind in ("page", "wrong", "effective", "answer"):
        expect(chart.locator(f".{kind} path").first).to_be_attached()
    check.look(talk, number, f"{where}-lost")


def looked(check: Check, talk: Conversation, where: str) -> None:
    """Every kind of evidence, the map as it grows, and the whole incident asked for from within the page."""
    started, _ = talk.call("start_drill", {"incident": "RP-003"})
    handle = started["structured"]["episode_id"]
    services = ("api-gateway", "order-service")
    tools = ("check_dependencies", "check_metrics", "check_recent_deploys", "check_service_status", "query_logs")
    for number, tool in enumerate(tools, 1):
        _, shown = talk.call(tool, {"service": services[0], "episode_id": handle})
        assert shown is not None
        expect(shown.get_by_role("tab", selected=True)).to_contain_text("Map" if number == 1 else "Evidence")
        check.look(talk, number, f"{where}-{tool}")
    _, shown = talk.call("check_dependencies", {"service": services[1], "episode_id": handle})
    assert shown is not None
    shown.get_by_role("button", name="Show all steps").click()
    expect(shown.get_by_role("button", name="Refresh")).to_be_visible()
    node = shown.get_by_role("button", name=re.compile(rf"^{services[0]} "))
    node.focus()
    node.press("Enter")
    expect(shown.get_by_role("heading", name=re.compile("query_logs"))).to_be_visible()
    node.press("Enter")
    check.look(talk, 6, f"{where}-map")


_DEFACE = """markup => {
    const names = new Set(['episode_id', 'action', 'action_type', 'service', 'root_cause', 'from', 'to', 'health',
        'as_of', 'known_services', 'available_actions', 'affected_services']);
    const fields = value => Object.fromEntries(Object.entries(value).map(([key, one]) => [key, deface(one, key)]));
    const deface = (value, key) => typeof value === 'string' ? (names.has(key) ? value : markup)
        : Array.isArray(value) ? value.map(one => deface(one, key))
        : value && typeof value === 'object' ? fields(value)
        : value;
    const { bridge, result } = window.last;
    return bridge.sendToolResult({ ...result, _meta: deface(result._meta) });
}"""


def defaced(talk: Conversation) -> None:
    """Every text in every part of the page, replaced by markup that would run if it were taken for markup."""
    markup = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    started, _ = talk.call("start_drill", {"incident": "RCA-001"})
    handle = started["structured"]["episode_id"]
    for number, tool in enumerate(
        ("query_logs", "check_metrics", "check_dependencies", "check_recent_deploys", "check_service_status"), 1
    ):
        talk.call(tool, {"service": "postgres-db", "episode_id": handle})
        _inspected(talk, number, markup)
    answer = {"service": "postgres-db", "failure_mode": "it was slow", "episode_id": handle}
    talk.call("submit_root_cause", answer)
    _inspected(talk, 6, markup)


def _inspected(talk: Conversation, number: int, markup: str) -> None:
    frame = talk.frame(number)
    talk.page.evaluate(_DEFACE, markup)
    for tab in frame.get_by_role("tab").all():
        tab.click()
        expect(frame.locator("#panel").get_by_text("<script>").first).to_be_visible()
        hold(frame.locator("img, #panel script").count() == 0, f"markup became part of the page, {tab.inner_text()}")
    hold(frame.title() == "Incident", "a text was run")


def fallen_back(browser: Browser, port: int, server: str) -> None:
    """Hosts that give less: no `_meta`, no resources, nothing at all."""
    for options, seen in (
        ({"meta": "none"}, ".pager, .log"),
        ({"meta": "none", "capabilities": "tools"}, ".pager, .log"),
        ({"capabilities": "none"}, ".log"),
        ({"advertise": "none"}, ".pager, .log"),
        ({"advertise": "none", "capabilities": "tools"}, "pre"),
        ({"meta": "none", "capabilities": "none"}, "pre"),
    ):
        talk = Conversation(browser, port, server, 800, "light", **options)
        started, _ = talk.call("start_drill", {"incident": "RP-001"})
        handle = started["structured"]["episode_id"]
        result, shown = talk.call("query_logs", {"service": "postgres-db", "episode_id": handle})
        assert shown is not None
        expect(shown.locator(seen).first).to_be_visible()
        if seen == "pre":
            expect(shown.locator("pre")).to_have_text(result["text"])
        talk.hold_quiet(str(options))
        talk.close()
        print(f"A host with {options}: the app shows {'the text' if seen == 'pre' else 'the evidence'}")


def main() -> None:
    server, plays, repaired, host, axe, out = sys.argv[1:]
    directory = Path(out).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    (play,) = [one for one in json.loads(Path(plays).read_text("utf-8")) if one["scenario_id"] == "RP-001"]
    drawn = json.loads(Path(repaired).read_text("utf-8"))
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    check = Check(Path(axe).read_text("utf-8"), directory)
    expect.set_options(timeout=_PATIENCE_MS)
    with pages(host) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for width in _WIDTHS:
            for theme in ("light", "dark"):
                talk = Conversation(browser, port, server, width, theme)
                where = f"{width}-{theme}"
                played(check, talk, play, where, "full_history_export is|★")
                talk.hold_quiet(where)
                talk.close()
                talk = Conversation(browser, port, server, width, theme)
                looked(check, talk, where)
                talk.hold_quiet(where)
                talk.close()
                talk = Conversation(browser, port, server, width, theme)
                lost(check, talk, drawn, where)
                talk.hold_quiet(where)
                talk.close()
                print(f"{where}: RP-001 to 1.00, all evidence and what users lost seen; nothing on console or network")
        talk = Conversation(browser, port, server, 800, "light")
        defaced(talk)
        talk.hold_quiet("markup in texts")
        talk.close()
        print("Markup in every text of every part of the page: shown, not run")
        fallen_back(browser, port, server)
        browser.close()
    print(f"{check.looks} looks, none wider than its frame, no serious or critical finding of axe-core")


if __name__ == "__main__":
    main()
