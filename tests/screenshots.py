"""`python -m tests.screenshots`: every page with the sample fleet, in light, dark and on a phone.

Starts a whole console of its own, waits until the sample fleet has something to show, signs in as the first
administrator and writes `docs/screenshots/<page>-<light|dark|phone>.png`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.chromium import ARGUMENTS, EXECUTABLE
from tests.bench.whole_console import BASE_DIR, EMAIL, PASSWORD, WholeConsole, whole_console

TARGET = BASE_DIR / "docs" / "screenshots"
PLAYS_FOR = 55.0
"""Seconds until the history is worked off and several countdowns run."""
PAGES = {
    "oncall": "/oncall/",
    "executive": "/executive/",
    "debug": "/debug/",
    "alerts": "/alerts/",
    "replays": "/rules/replays/",
    "suppressions": "/suppressions/",
    "suppression-new": "/suppressions/new/",
    "interruptions": "/interruptions/",
    "services": "/services/",
    "rules": "/services/rules/",
    "slo": "/slo/",
    "error-spikes": "/slo/spikes/",
    "instances": "/instances/",
    "runbooks": "/runbooks/",
    "feeds": "/feeds/",
    "quarantine": "/quarantine/",
    "settings": "/settings/",
    "audit": "/audit/",
    "me": "/me/",
}
FIRST_OF = {
    "alert-group": ("/alerts/?status=all&service=recommender-training", "a[href^='/alerts/'][data-open]"),
    "interruption": ("/interruptions/?outcome=ended", "a[href^='/interruptions/'][data-open]"),
}
LOOKS = {"light": ("light", 1440, 900), "dark": ("dark", 1440, 900), "phone": ("light", 390, 844)}


def main() -> int:
    """0 when every picture was written."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with whole_console(sample=True) as console, sync_playwright() as playwright:
        time.sleep(PLAYS_FOR)
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        looks = {look: _page(browser, console, look) for look in LOOKS}
        first = dict(list(PAGES.items())[:1])
        _picture_all(looks, console, first)
        _picture_all(looks, console, {name: _first(looks["light"], console, name) for name in FIRST_OF})
        _picture_all(looks, console, {name: path for name, path in PAGES.items() if name not in first})
        browser.close()
    return 0


def _page(browser: Browser, console: WholeConsole, look: str) -> Page:
    """Signed in."""
    scheme, width, height = LOOKS[look]
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    page = context.new_page()
    _sign_in(page, console)
    return page


def _first(page: Page, console: WholeConsole, name: str) -> str:
    """Where the first row of a list leads."""
    path, link = FIRST_OF[name]
    page.goto(f"{console.url}{path}")
    return page.locator(link).first.get_attribute("href") or path


def _picture_all(looks: dict[str, Page], console: WholeConsole, pages: dict[str, str]) -> None:
    """Page by page and not look by look: what counts down is seen counting down in each."""
    for name, path in pages.items():
        for look, page in looks.items():
            _picture(page, f"{console.url}{path}", TARGET / f"{name}-{look}.png")


def _sign_in(page: Page, console: WholeConsole) -> None:
    page.goto(f"{console.url}/accounts/login/")
    page.fill("input[name=login]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{console.url}/**/")


def _picture(page: Page, url: str, target: Path) -> None:
    page.goto(url)
    page.wait_for_timeout(1_000)
    page.screenshot(path=target)
    sys.stdout.write(f"{target.relative_to(BASE_DIR)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
