"""Works incidents, watches agents and reads evaluations on the console, in a real browser: by mouse and by keyboard,
wide and narrow, light and dark. Nothing is said on the console, no request fails or leaves, nothing is wider than the
window, axe-core finds nothing serious, it is quick, and no answer reaches the browser before the end.

Usage: console_check.py ADDRESS PLAY REPAIRED TRAJECTORIES MODEL AXE DIRECTORY [PART]...
MODEL is the address of an OpenAI-compatible endpoint that plays perfectly; screenshots go to DIRECTORY. The parts are
`visitors` and the names of the settings; all of them if none is given.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Request, Response

_SLOWDOWN = float(os.environ.get("SLOWDOWN", "1"))
"""How much slower this machine is than the one for which the limits are written."""
FIRST_PAINT_MS = 1500 * _SLOWDOWN
EFFECT_MS = 300 * _SLOWDOWN
PATIENCE_MS = 30_000
"""How long something may take to appear that is not measured, beside other clients."""
_VISITORS = "visitors"
_MOST_TABS = 400
_TRUTHS = ("causal_chain", "root_cause", "ruled_out_by", "spread", "curves", "with_nothing_done")
_LANES = ("as_left", "with_nothing_done", "with_the_best_repair")
_GRAVE = ("serious", "critical")
_SEEDED = {"seed": "7", "difficulty": "2"}
_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_CLOCK = """() => {
    window.effects = [];
    let pressed = 0;
    document.addEventListener('click', () => { pressed = performance.now(); }, true);
    const said = () => document.querySelector('.incident [role=status]')?.textContent;
    let before = said();
    new MutationObserver(() => {
        if (!pressed || said() === before) return;
        const since = pressed;
        [pressed, before] = [0, said()];
        requestAnimationFrame(() => window.effects.push(performance.now() - since));
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
_MARKUP = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script><b>bold</b>"


@dataclass
class Seen:
    """What went wrong, and what the server told."""

    wrong: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Setting:
    """How a visitor sees the page."""

    name: str
    width: int
    dark: bool
    keys: bool


SETTINGS = (
    Setting("wide-light", 1440, dark=False, keys=False),
    Setting("wide-dark", 1440, dark=True, keys=True),
    Setting("narrow-light", 375, dark=False, keys=True),
    Setting("narrow-dark", 375, dark=True, keys=False),
)


@contextmanager
def visitor(browser: Browser, address: str, setting: Setting, wrong: list[str]) -> Iterator[tuple[Page, Seen]]:
    """A page of somebody of their own; what goes wrong on it is added up."""
    context = browser.new_context(
        viewport={"width": setting.width, "height": 900}, color_scheme="dark" if setting.dark else "light"
    )
    page, seen = context.new_page(), Seen()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.on("console", lambda one: seen.wrong.append(f"console: {one.text}"))
    page.on("pageerror", lambda error: seen.wrong.append(f"error: {error}"))
    page.on("request", lambda one: one.url.startswith((address, "data:")) or seen.wrong.append(f"outside: {one.url}"))
    page.on("requestfailed", lambda one: _hung_up(one) or seen.wrong.append(f"failed: {one.url} {one.failure}"))
    page.on("response", lambda answer: _heard(seen, answer))
    yield page, seen
    wrong += [f"{setting.name}: {one}" for one in seen.wrong]
    context.close()


def _hung_up(request: Request) -> bool:
    """Whether the browser let go of a request: of a run that is watched no more, of a page that was left."""
    return request.failure == "net::ERR_ABORTED"


def _heard(seen: Seen, answer: Response) -> None:
    if answer.status >= 400:
        seen.wrong.append(f"{answer.status}: {answer.url}")
    if answer.headers.get("content-type", "").startswith("application/json") and "/console/" not in answer.url:
        seen.told.append((answer.url, answer.text()))


@dataclass(frozen=True)
class Check:
    """Looks at one view: width, axe-core, a picture."""

    axe: str
    directory: Path
    wrong: list[str]
    looked: Counter[str] = field(default_factory=Counter)

    def __call__(self, page: Page, setting: Setting, view: str) -> None:
        page.wait_for_timeout(150)  # charts draw themselves a frame later
        if (wider := page.evaluate(_WIDER)) > 0:
            self.wrong.append(f"{setting.name} {view}: {wider} px too wide")
        page.evaluate(self.axe)
        for finding in page.evaluate("axe.run(document).then(found => found.violations)"):
            if finding["impact"] in _GRAVE:
                where = "; ".join(node["html"][:160] for node in finding["nodes"][:3])
                self.wrong.append(f"{setting.name} {view}: {finding['id']}: {finding['help']}: {where}")
        self.looked[setting.name] += 1
        page.screenshot(path=self.directory / f"{setting.name}-{view}.png", full_page=True)


class Hand:
    """Acts on the page by mouse, or with `keys` by the keyboard alone."""

    def __init__(self, page: Page, *, keys: bool) -> None:
        self.page = page
        self.keys = keys

    def press(self, control: Locator) -> None:
        if self.keys:
            self._reach(control)
            self.page.keyboard.press("Enter")
        else:
            control.click()

    def check(self, control: Locator) -> None:
        """Choose one of a group of radio buttons."""
        if not self.keys:
            control.check()
            return
        group = self.page.locator(f"input[name={control.get_attribute('name')}]:checked")
        self._reach(group.or_(control).first)
        for _ in range(10):
            if control.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError("the arrows do not reach the choice")

    def choose(self, control: Locator, value: str) -> None:
        if self.keys:
            self._reach(control)
            wanted = control.evaluate("(one, value) => [...one.options].find(it => it.value === value).text", value)
            self.page.keyboard.type(wanted)
            if control.input_value() != value:  # another one begins alike
                self.page.keyboard.press("ArrowUp")
            self.page.keyboard.press("Tab")  # the choice counts when it is left
            expect(control).to_have_value(value)
        else:
            control.select_option(value)

    def fill(self, control: Locator, text: str) -> None:
        if self.keys:
            self._reach(control)
            self.page.keyboard.press("Control+A")
            self.page.keyboard.insert_text(text)
        else:
            control.fill(text)

    def _reach(self, control: Locator) -> None:
        """Go on to a control by the tabulator key."""
        control.wait_for()
        for _ in range(_MOST_TABS):
            if control.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no tabulator reaches {control}")


def work(page: Page, setting: Setting, play: dict[str, Any], check: Check, seen: Seen) -> list[float]:
    """Work RP-001 to its perfect score through the page alone; how long every action took to show, in ms."""
    hand = Hand(page, keys=setting.keys)
    hand.check(page.get_by_role("radio", name="Remediation planning"))
    check(page, setting, "work-1-start")
    hand.press(page.get_by_role("button", name="Take the pager"))
    page.locator(".bench").wait_for()
    expect(page.locator(".incident h1")).to_contain_text(play["scenario_id"])
    page.evaluate(_CLOCK)
    check(page, setting, "work-2-paged")
    diagnostics = [tab.get_attribute("id").removeprefix("known-") for tab in page.locator(".service [role=tab]").all()]
    for number, action in enumerate(play["actions"], 1):
        last = number == len(play["actions"])
        if last:
            _tells_nothing(seen, play["secrets"], check.wrong, setting)
        _act(page, hand, action, diagnostics)
        expect(page.locator(".incident .standing")).to_contain_text(f"Step {number} of")
        if action["action_type"] in diagnostics:
            check(page, setting, f"work-3-{action['action_type']}")
    expect(page.locator(".incident .standing")).to_contain_text("Score 1.00")
    expect(page.locator(".map .line.cause").first).to_be_attached()
    expect(page.get_by_role("region", name="Score")).to_be_focused()
    check(page, setting, "work-4-score")
    effects: list[float] = page.evaluate("window.effects")
    return effects


def what_if(page: Page, setting: Setting, play: dict[str, Any], check: Check) -> None:
    """Play on instead of a step of the episode that is over, do less than before, compare, and go back."""
    hand = Hand(page, keys=setting.keys)
    number = len(play["actions"]) - 1
    hand.press(page.get_by_role("button", name=f"Play on from here instead of step {number}", exact=True))
    expect(page.locator(".whatif")).to_contain_text(f"The first {number - 1} steps were taken over")
    expect(page.locator(".steps .given")).to_have_count(number - 1)
    check(page, setting, "what-if-1-forked")
    _act(page, hand, play["actions"][-1], [])
    total = page.locator(".compared tfoot")
    expect(total).to_contain_text("1.00")
    expect(total.locator(".lost")).to_be_attached()
    check(page, setting, "what-if-2-compared")
    hand.press(page.locator(".whatif a"))
    expect(page.locator(".whatif")).to_have_count(0)
    expect(page.locator(".incident .standing")).to_contain_text("Score 1.00")


def lost(page: Page, setting: Setting, address: str, repaired: dict[str, Any], check: Check) -> None:
    """What users lost in an incident that runs is drawn at its end, and not before; its table says the same."""
    api = page.context.request
    started = api.post(f"{address}/reset", data={"scenario_id": repaired["scenario_id"]}).json()
    handle = started["observation"]["episode_id"]
    *before, last = repaired["actions"]
    for action in before:
        api.post(f"{address}/step", data=action, headers={"X-Episode-Id": handle})
    page.goto(f"{address}/#/work?episode_id={handle}")
    expect(page.locator(".incident .standing")).to_contain_text(f"Step {len(before)} of")
    expect(page.locator(".losses")).to_have_count(0)
    api.post(f"{address}/step", data=last, headers={"X-Episode-Id": handle})
    page.reload()
    chart = page.locator(".losses svg")
    expect(chart).to_have_attribute("aria-label", re.compile("your actions .* nothing done .* best repair"))
    for lane in _LANES:
        box = chart.locator(f".{lane} polyline").bounding_box()
        if box is None or box["width"] < 200 or box["height"] < 20:
            check.wrong.append(f"{setting.name}: {lane} is drawn as {box}")
    for kind in ("page", "wrong", "effective", "answer"):
        expect(chart.locator(f".{kind} path").first).to_be_attached()
    hand = Hand(page, keys=setting.keys)
    hand.press(page.locator("summary").filter(has_text="As a table").last)
    rows = page.get_by_role("group", name="Share not served").locator("tbody tr")
    expect(rows.first).to_be_visible()
    expect(rows.first.locator("td")).to_have_count(len(_LANES))
    check(page, setting, "lost")


def _act(page: Page, hand: Hand, action: dict[str, Any], diagnostics: list[str]) -> None:
    name, parameters = action["action_type"], action["parameters"]
    if name in diagnostics:
        hand.press(page.locator(f'.map [role=button][aria-label^="{parameters["service"]} "]'))
        panel = page.locator(".service")
        expect(panel).to_contain_text(parameters["service"])
        if hand.keys:
            hand._reach(panel.locator("[role=tab][aria-selected=true]"))
            page.keyboard.press(str(diagnostics.index(name) + 1))
        else:
            panel.locator(f"#known-{name}").click()
            panel.locator(".ask button").click()
        return
    form = page.locator("form.action").filter(has=page.locator(f"[name={next(iter(parameters))}]"))
    if name not in {"submit_severity", "submit_root_cause", "submit_resolution"}:
        form = page.get_by_role("form", name="Repair")
        hand.choose(form.locator("[name=action_type]"), name)
    else:
        form = page.get_by_role("form", name="Answer")
    for key, value in parameters.items():
        control = form.locator(f"[name={key}]")
        if control.evaluate("one => one.tagName") == "SELECT":
            hand.choose(control, value)
        else:
            hand.fill(control, str(value))
    hand.press(form.get_by_role("button"))


def _tells_nothing(seen: Seen, secrets: dict[str, str], wrong: list[str], setting: Setting) -> None:
    """Nothing that the server has told so far says the answer, but what evidence shows to whoever asks for it."""
    for url, body in seen.told:
        told = "\n".join(_strings(json.loads(body)))
        whole = body.casefold()
        wrong += [
            f"{setting.name}: {url} tells {name}"
            for name, one in secrets.items()
            if re.search(one, told, re.IGNORECASE)
        ]
        wrong += [f"{setting.name}: {url} has {key}" for key in _TRUTHS if f'"{key}"' in whole]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in {"queried_data", "evidence"}:
                yield from _strings(one)


def watch(page: Page, setting: Setting, address: str, check: Check) -> None:
    """Watch the responder on a generated incident, scrub through it, and set another agent against it."""
    hand = Hand(page, keys=setting.keys)
    page.goto(f"{address}/#/watch")
    page.locator(".sources form").wait_for()
    check(page, setting, "watch-1-choose")
    hand.choose(page.locator("select[name=agent0]"), "responder")
    hand.check(page.get_by_role("radio", name="Root cause analysis"))
    hand.check(page.get_by_role("radio", name="made from a seed"))
    hand.fill(page.locator("input[name=seed]"), _SEEDED["seed"])
    hand.choose(page.locator("select[name=difficulty]"), _SEEDED["difficulty"])
    hand.press(page.get_by_role("button", name="Play", exact=True))
    seat = page.get_by_role("region", name="responder", exact=True)
    expect(seat).to_contain_text(f"GEN1-RCA-D{_SEEDED['difficulty']}-{_SEEDED['seed']}")
    hand.choose(page.locator(".controls select"), "8")
    check(page, setting, "watch-2-playing")
    expect(seat.locator(".standing")).to_contain_text("Score")
    hand.press(page.get_by_role("button", name="Pause").or_(page.get_by_role("button", name="Play", exact=True)).last)
    _scrub(page, hand, seat)
    check(page, setting, "watch-3-played")
    page.goto(f"{address}/#/watch?scenario_id=RCA-002&agent=responder&against=novice")
    page.reload()
    page.get_by_role("button", name="Play", exact=True).click()
    page.locator(".controls select").select_option("8")
    for name in ("responder", "novice"):
        expect(page.get_by_role("region", name=name, exact=True).locator(".standing")).to_contain_text("Score")
    check(page, setting, "watch-4-compared")


def model(page: Page, setting: Setting, address: str, endpoint: str, check: Check) -> None:
    """Give an OpenAI-compatible endpoint, and watch the model behind it play."""
    hand = Hand(page, keys=setting.keys)
    page.goto(f"{address}/#/watch?scenario_id=RCA-001")
    page.reload()
    hand.choose(page.locator("select[name=agent0]"), "llm")
    hand.fill(page.locator("input[name=base_url]"), endpoint)
    hand.fill(page.locator("input[name=model]"), "perfect")
    hand.fill(page.locator("input[name=api_key]"), "a-key")
    check(page, setting, "watch-6-endpoint")
    hand.press(page.get_by_role("button", name="Play", exact=True))
    page.locator(".controls select").select_option("8")
    expect(page.get_by_role("region", name="llm", exact=True).locator(".standing")).to_contain_text("Score 1.00")


def _scrub(page: Page, hand: Hand, seat: Locator) -> None:
    moment = page.get_by_role("slider", name="Moment")
    hand._reach(moment) if hand.keys else moment.focus()
    page.keyboard.press("Home")
    expect(seat.locator(".standing")).to_contain_text("Step 0 of")
    page.keyboard.press("ArrowRight")
    expect(seat.locator(".standing")).to_contain_text("Step 1 of")
    page.keyboard.press("End")
    expect(seat.locator(".standing")).to_contain_text("Score")


def trajectories(page: Page, setting: Setting, address: str, file: Path, check: Check) -> None:
    """Open a stored trajectory and one of the visitor's own, and scrub through both."""
    hand = Hand(page, keys=setting.keys)
    page.goto(f"{address}/#/watch")
    page.reload()
    hand.press(page.get_by_role("button", name="Open responder on RP-002").first)
    seat = page.get_by_role("region", name="responder, recorded")
    hand.press(page.get_by_role("button", name="Pause"))
    _scrub(page, hand, seat)
    check(page, setting, "watch-5-stored")
    page.locator(".sources > summary").click()
    page.locator("input[type=file]").set_input_files(file)
    expect(seat.locator(".incident h2")).to_contain_text("AC-001")
    page.get_by_role("button", name="Pause").click()
    _scrub(page, Hand(page, keys=False), seat)
    page.locator(".sources > summary").click()
    page.get_by_role("group", name=f"Trajectories in {file.name}").get_by_role("button").nth(1).click()
    expect(seat.locator(".incident h2")).to_contain_text("AC-002")


def measure(page: Page, setting: Setting, address: str, check: Check) -> None:
    page.goto(f"{address}/#/measure")
    expect(page.locator(".scores")).to_contain_text("responder")
    report = page.frame_locator("iframe.report")
    expect(report.locator("svg").first).to_be_visible()
    check(page, setting, "measure")


def apart(browser: Browser, address: str, wrong: list[str]) -> None:
    """What one visitor does is not the other's."""
    setting = SETTINGS[0]
    with visitor(browser, address, setting, wrong) as (one, _), visitor(browser, address, setting, wrong) as (other, _):
        for page in (one, other):
            page.goto(address)
            page.get_by_role("button", name="Take the pager").click()
            page.locator(".bench").wait_for()
        one.locator(".ask button").click()
        expect(one.locator(".incident .standing")).to_contain_text("Step 1 of")
        other.reload()
        expect(other.locator(".incident .standing")).to_contain_text("Step 0 of")
        if one.url == other.url:
            wrong.append("two visitors share an episode")


def steady(browser: Browser, address: str, wrong: list[str]) -> None:
    """What is chosen stays, a key held down and an answer that is lost cost one step, and the address is kept to."""
    with visitor(browser, address, SETTINGS[0], wrong) as (page, seen):
        page.goto(f"{address}/#/work?scenario_id=GEN1-RCA-D2-7")
        page.get_by_role("button", name="Take the pager").click()
        expect(page.locator(".incident h1")).to_contain_text("GEN1-RCA-D2-7")
        page.goto(f"{address}/#/work?scenario_id=RCA-001")
        page.get_by_role("button", name="Take the pager").click()
        standing = page.locator(".incident .standing")
        answer = page.get_by_role("form", name="Answer").locator("[name=service]")
        answer.select_option("postgres-db")
        page.locator('.map [role=button][aria-label^="redis-cache "]').click()
        expect(answer).to_have_value("postgres-db")
        page.locator(".service [role=tab]").first.focus()
        page.route(re.compile(r"/step\?"), lambda route: (page.wait_for_timeout(300), route.continue_()))
        for _ in range(6):
            page.keyboard.down("1")
        expect(standing).to_contain_text("Step 1 of")
        page.unroute(re.compile(r"/step\?"))
        page.route(re.compile(r"/step\?"), lambda route: (route.fetch(), route.abort()), times=1)
        page.locator(".service [role=tab]").nth(1).click()
        page.locator(".ask button").click()
        expect(standing).to_contain_text("Step 2 of")
        other = page.context.new_page()
        other.goto(page.url)
        page.get_by_role("form", name="Answer").locator("[name=failure_mode]").fill("it is not known")
        page.get_by_role("form", name="Answer").get_by_role("button").click()
        expect(standing).to_contain_text("Score")
        other.locator(".service [role=tab]").nth(2).click()
        other.locator(".ask button").click()
        expect(other.locator(".incident .standing")).to_contain_text("Score")
        page.go_back()
        page.go_back()
        expect(page.locator(".incident h1")).to_contain_text("GEN1-RCA-D2-7")
        page.goto(f"{address}/#/work?episode_id=nobody-has-it")
        expect(page.get_by_role("alert")).to_contain_text("nobody-has-it")
        page.goto(f"{address}/#/toString")
        page.get_by_role("button", name="Take the pager").wait_for()
        page.goto(f"{address}/#/watch?agent=nobody&against=nobody&seed=x&difficulty=9")
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.get_by_role("region", name="responder", exact=True).locator(".standing")).to_contain_text(
            "Step 0 of"
        )
        seen.wrong = [one for one in seen.wrong if not _provoked(one)]


def _provoked(told: str) -> bool:
    """Whether a failure is one that the check brought about: a lost answer, and an episode that is not there."""
    return any(one in told for one in ("/step?", "nobody-has-it", "net::ERR_FAILED", "404 (Not Found)"))


def defaced(browser: Browser, address: str, wrong: list[str]) -> None:
    """Markup in texts is shown as it is."""
    with visitor(browser, address, SETTINGS[0], wrong) as (page, seen):

        def deface(route: Any) -> None:
            answer = route.fetch()
            body = json.loads(answer.text())
            for frame in body["frames"]:
                frame["observation"]["incident_summary"] = _MARKUP
                if frame["evidence"]:
                    frame["evidence"]["evidence"]["lines"] = [_MARKUP]
            route.fulfill(response=answer, body=json.dumps(body))

        page.route(re.compile(r"/frames\?"), deface)
        page.goto(address)
        page.get_by_role("button", name="Take the pager").click()
        page.locator(".ask button").click()
        expect(page.locator(".log")).to_contain_text("<b>bold</b>")
        page.wait_for_timeout(200)
        if page.title().startswith("broken") or page.locator("main img, main script, .log b b").count():
            wrong.append("markup in a text was run")
        seen.wrong = [one for one in seen.wrong if "outside" not in one]


def quick(browser: Browser, address: str, wrong: list[str]) -> None:
    """The first paint, of a browser that has seen nothing of the page before."""
    paints = []
    for _ in range(5):
        with visitor(browser, address, SETTINGS[0], wrong) as (page, _):
            page.goto(address)
            page.get_by_role("button", name="Take the pager").wait_for()
            paints.append(page.evaluate(_PAINTED))
    print(f"first paint: median {median(paints):.0f} ms, longest {max(paints):.0f} ms of {len(paints)}")
    if max(paints) > FIRST_PAINT_MS:
        wrong.append(f"the first paint took {max(paints):.0f} ms")


def main() -> None:
    address, play, repaired, file, endpoint, axe, directory, *parts = sys.argv[1:]
    known = [_VISITORS, *(setting.name for setting in SETTINGS)]
    if unknown := set(parts) - set(known):
        raise SystemExit(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    asked = parts or known
    wrong: list[str] = []
    check = Check(Path(axe).read_text("utf-8"), Path(directory), wrong)
    check.directory.mkdir(parents=True, exist_ok=True)
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    plan = json.loads(Path(play).read_text("utf-8"))
    effects: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        if _VISITORS in asked:
            quick(browser, address, wrong)
            apart(browser, address, wrong)
            defaced(browser, address, wrong)
            steady(browser, address, wrong)
        for setting in (setting for setting in SETTINGS if setting.name in asked):
            with visitor(browser, address, setting, wrong) as (page, seen):
                page.goto(address)
                effects += work(page, setting, plan, check, seen)
                what_if(page, setting, plan, check)
                lost(page, setting, address, json.loads(Path(repaired).read_text("utf-8")), check)
                watch(page, setting, address, check)
                trajectories(page, setting, address, Path(file), check)
                model(page, setting, address, endpoint, check)
                measure(page, setting, address, check)
            how = "by keyboard alone" if setting.keys else "by mouse"
            print(f"{setting.name}: RP-001 to 1.00 {how}, {check.looked[setting.name]} views looked at")
        browser.close()
    if effects:
        print(f"effect of an action: median {median(effects):.0f} ms, longest {max(effects):.0f} ms of {len(effects)}")
    if max(effects, default=0.0) > EFFECT_MS:
        wrong.append(f"an action took {max(effects):.0f} ms to show")
    if wrong:
        raise SystemExit("\n".join(dict.fromkeys(wrong)))


if __name__ == "__main__":
    main()
