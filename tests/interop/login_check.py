"""Signs in to a console that asks for tokens, works an incident there and signs out, in a real browser.

Nothing is said on the console but the refusals that are meant, and no script of the page can read the token.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cloud_incident.tokens.holding import WRONG, Tokens, guarded_server
from tests.interop.chromium import chromium

if TYPE_CHECKING:
    from tests.interop.chromium import Page

_PATIENCE = 60.0


def main() -> None:
    """Check the pages; the exit status is 1 if something is wrong."""
    with tempfile.TemporaryDirectory() as directory:
        tokens = Tokens.write(Path(directory) / "tokens")
        with guarded_server(tokens) as address, chromium() as page:
            check(page, address, tokens)
    print("Signing in and out works in a browser.")


def check(page: Page, address: str, tokens: Tokens) -> None:
    """Sign in with a wrong token, then with a right one; work; sign out."""
    page.open(f"{address}/#/work?scenario_id=AC-001", width=1200)
    wait(page, "location.pathname === '/login' && document.readyState === 'complete'")
    send(page, WRONG)
    wait(page, "!document.getElementById('problem').hidden")
    send(page, tokens.alice["operate"])
    wait(page, "location.pathname === '/' && document.body.innerText.includes('Sign out alice')")
    if page.value("document.cookie") != "":
        raise SystemExit("A script can read a cookie.")
    wait(page, "!!document.querySelector('button.main.large')")
    page.value("document.querySelector('button.main.large').click()")
    wait(page, "location.hash.includes('episode_id=alice.')")
    wait(page, "!!document.querySelector('.incident')")
    page.value("document.querySelector('.aside button').click()")
    wait(page, "location.pathname === '/login'")
    if any(token in asked for asked in page.requested for token in tokens.alice.values()):
        raise SystemExit("A token is in an address.")
    said = [text for text in page.said if "401" not in text]
    if said:
        raise SystemExit(f"The page said: {said}")


def send(page: Page, token: str) -> None:
    """Fill in the form and send it."""
    page.value(
        f"document.getElementById('token').value = '{token}', document.getElementById('sign-in').requestSubmit()"
    )


def wait(page: Page, condition: str) -> None:
    """Wait until something is true on the page."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if page.value(condition):
                return
        except RuntimeError:  # it is between two pages
            pass
        if time.monotonic() > deadline:
            shown = page.value("location.href + document.body.innerText")
            raise SystemExit(f"In vain: {condition}; there is {shown!r}; said: {page.said}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
