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
PLAYS_FOR = 75.0
"""Seconds until the history is worked off and several countdowns run."""
PAGES = {
    "oncall": "/oncall/",
    "executive": "/executive/",
    "debug": "/debug/",
    "alerts": "/alerts/",
    "interruptions": "/interruptions/",
    "services": "/services/",
    "rules": "/services/rules/",
    "instances": "/instances/",
    "runbooks": "/runbooks/",
    "feeds": "/feeds/",
    "quarantine": "/quarantine/",
    "settings": "/settings/",
    "audit": "/audit/",
    "me": "/me/",
}
FIRST_OF = {"alert-group": ("/alerts/?status=all", "a[href^='/alerts/'][data-open]"),
            "interruption": ("/interruptions/?outcome=ended", "a[href^='/interruptions/'][data-open]")}  # fmt: skip
LOOKS = {"light": ("light", 1440, 900), "dark": ("dark", 1440, 900), "phone": ("light", 390, 844)}


def main() -> int:
    """0 when every picture was written."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with whole_console(sample=True) as console, sync_playwright() as playwright:
        time.sleep(PLAYS_FOR)
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        for look in LOOKS:
            _picture_all(browser, console, look)
        browser.close()
    return 0


def _picture_all(browser: Browser, console: WholeConsole, look: str) -> None:
    scheme, width, height = LOOKS[look]
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    page = context.new_page()
    _sign_in(page, console)
    for name, path in PAGES.items():
        _picture(page, f"{console.url}{path}", TARGET / f"{name}-{look}.png")
    for name, (path, link) in FIRST_OF.items():
        page.goto(f"{console.url}{path}")
        href = page.locator(link).first.get_attribute("href")
        _picture(page, f"{console.url}{href}", TARGET / f"{name}-{look}.png")
    context.close()


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
