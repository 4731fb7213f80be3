"""The page as it is served: what it may load, that all it loads is there, and that nothing in it can run a text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloud_incident.console.surface import STATIC

if TYPE_CHECKING:
    import httpx2

ROOT = Path(__file__).parents[3]
OWN = sorted([*(STATIC / "page").glob("*.js"), *(STATIC / "view").glob("*.js"), *(STATIC.parent / "app").glob("*.js")])
_RUNS_TEXT = re.compile(r"(?:inner|outer|Adjacent)HTML|dangerouslySet|document\.write|\beval\(|Function\(")
_SENT_ELSEWHERE = re.compile(r"""["'(`](?:https?:)?//(?!www\.w3\.org/(?:2000/svg|1998/Math))""")


@pytest.fixture
def page(api: httpx2.Client) -> httpx2.Response:
    answer = api.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    return answer


def test_the_policy_allows_the_own_scripts_and_no_others(page: httpx2.Response) -> None:
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", page.text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    assert policy["script-src"].split() == ["'self'", *(f"'sha256-{digest}'" for digest in digests)]
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"


def test_all_that_the_page_loads_is_there(api: httpx2.Client, page: httpx2.Response) -> None:
    libraries = json.loads(re.findall(r"<script type=\"importmap\">(.*?)</script>", page.text, re.DOTALL)[0])["imports"]
    loaded = {"/" + path for path in re.findall(r"(?:src|href)=\"(console/[^\"]+)\"", page.text)}
    loaded |= {path.removeprefix(".") for path in libraries.values()}
    loaded.add("/console/page/login.js")  # the page at /login loads it
    waiting = list(loaded)
    while waiting:
        path = waiting.pop()
        answer = api.get(path)
        assert answer.status_code == 200, path
        if "/vendor/" in path or not path.endswith(".js"):
            continue
        assert "javascript" in answer.headers["content-type"]
        for name in re.findall(r"\bfrom \"([^\"]+)\"", answer.text):
            if name in libraries:
                continue
            assert name.startswith("."), f"{path} imports {name}, which is nowhere"
            found = str(Path(path).parent / name)
            resolved = "/" + str(Path(found).resolve().relative_to("/"))
            if resolved not in loaded:
                loaded.add(resolved)
                waiting.append(resolved)
    assert {file.name for file in (STATIC / "page").glob("*.js")} <= {Path(path).name for path in loaded}


@pytest.mark.parametrize("file", OWN, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_no_text_is_taken_for_markup_and_no_other_host_is_asked(file: Path) -> None:
    text = file.read_text("utf-8")
    assert not _RUNS_TEXT.search(text)
    assert not _SENT_ELSEWHERE.search(text)


def test_the_libraries_are_those_that_the_script_pins() -> None:
    script = (ROOT / "scripts" / "vendor").read_text("utf-8")
    pinned = re.findall(r"^vendor \S+@\d+\.\d+\.\d+ \$console/(\w+)", script, re.MULTILINE)
    there = {folder.name for folder in (STATIC / "vendor").iterdir()}
    assert set(pinned) == there
    for name in there:
        assert (STATIC / "vendor" / name / "LICENSE").read_text("utf-8").strip()


def test_production_has_no_console() -> None:
    from starlette.testclient import TestClient

    from cloud_incident.app import build_app
    from cloud_incident.settings.serve import ServeSettings
    from http_compat.surface import Mode

    client = TestClient(build_app(ServeSettings(mode=Mode.PRODUCTION)), base_url="http://127.0.0.1")
    assert client.get("/", follow_redirects=False).headers["location"] == "docs"
    assert client.get("/console/page/main.js").status_code == 404
    assert client.get("/console/agents").status_code == 404


def test_only_what_is_meant_to_be_seen_is_served(api: httpx2.Client) -> None:
    for path in ("/console/surface.py", "/console/static/page/main.js", "/console/../surface.py", "/console/page/"):
        assert api.get(path).status_code == 404, path
