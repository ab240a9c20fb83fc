"""`python -m tests.screenshots [page …]`: every page in light, dark and on a phone, into docs/screenshots/.

A whole console plays the sample fleet; the pictures are taken once its history is told and something is happening.
"""

from __future__ import annotations

import json
import struct
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.chromium import ARGUMENTS, EXECUTABLE
from tests.bench.whole_console import EMAIL, PASSWORD, WholeConsole, whole_console

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
HISTORY_WITHIN, LIVE_WITHIN, SUMS_WITHIN = 420.0, 300.0, 150.0
QUIET = 12.0
"""Seconds without a further batch of history: all of it is told."""
SIZES = {"light": (1440, 900), "dark": (1440, 900), "phone": (390, 844)}
SIGNED_OUT = ("sign-in",)


@dataclass(frozen=True, slots=True)
class Shot:
    """A page by the name of its picture, and how to get there."""

    name: str
    path: str
    follow: str = ""
    """A selector: the page is where its first link leads."""


SHOTS = (
    Shot("oncall", "/oncall/"),
    Shot("executive", "/executive/"),
    Shot("debug", "/debug/"),
    Shot("interruptions", "/interruptions/"),
    Shot("interruption", "/interruptions/?outcome=ended", "a.who-is-hit[href^='/interruptions/']"),
    Shot("alerts", "/alerts/"),
    Shot("alert-group", "/alerts/", ".groups a[href^='/alerts/']"),
    Shot("services", "/services/"),
    Shot("service", "/services/", "main td a[href^='/services/'], main .row a[href^='/services/']"),
    Shot("attribution-rules", "/services/rules/"),
    Shot("instances", "/instances/"),
    Shot("runbooks", "/runbooks/"),
    Shot("runbook", "/runbooks/", "main a[href^='/runbooks/']:not([href$='/new/'])"),
    Shot("feeds", "/feeds/"),
    Shot("feed", "/feeds/", "main a[href^='/feeds/']:not([href$='/new/'])"),
    Shot("feed-new", "/feeds/new/"),
    Shot("quarantine", "/quarantine/"),
    Shot("audit", "/audit/"),
    Shot("settings", "/settings/"),
    Shot("tokens", "/settings/tokens/"),
    Shot("sign-in-settings", "/settings/sign-in/"),
    Shot("you", "/me/"),
    Shot("sign-in", "/accounts/login/"),
)


def main(names: Sequence[str]) -> int:
    """Take the pictures named, or all."""
    wanted = [shot for shot in SHOTS if not names or shot.name in names]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with whole_console(sample=True) as console, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        page = _open(browser, console, "light")
        _sign_in(page, console)
        state = page.context.storage_state()
        _wait_for_history(console)
        _wait(page, console, "/executive/", "#figures [data-chart]", within=SUMS_WITHIN)
        _wait(page, console, "/oncall/", "#feed [data-ended='']", within=LIVE_WITHIN)
        addresses = {shot.name: _address(page, console, shot) for shot in wanted}
        for look in SIZES:
            for shot in wanted:
                _take(browser, console, shot, addresses[shot.name], look, state)
        browser.close()
    return 0


def _open(browser: Browser, console: WholeConsole, look: str, state: object = None) -> Page:
    width, height = SIZES[look]
    context = browser.new_context(
        base_url=console.url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if look == "dark" else "light",
        timezone_id="Europe/Berlin",
        locale="en-GB",
        reduced_motion="reduce",
        has_touch=look == "phone",
        storage_state=state,  # type: ignore[arg-type]
    )
    return context.new_page()


def _sign_in(page: Page, console: WholeConsole) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_selector("#main")


def _wait_for_history(console: WholeConsole) -> None:
    """Until the player has told no further batch for some seconds and all of it is worked off."""
    told, since = -1, time.monotonic()
    for _ in _until(HISTORY_WITHIN, "the history of the sample fleet"):
        progress = json.loads((console.var / "sample.json").read_text())
        if progress["batches_told"] != told:
            told, since = progress["batches_told"], time.monotonic()
        elif told > 0 and time.monotonic() - since > QUIET:
            return


def _wait(page: Page, console: WholeConsole, path: str, selector: str, *, within: float) -> None:
    for _ in _until(within, f"{selector} on {path}"):
        page.goto(_of_sample(path))
        if page.locator(selector).count():
            return


def _until(seconds: float, what: str) -> Iterator[None]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield
        time.sleep(2)
    raise TimeoutError(f"{what} did not come in {seconds:.0f} s")


def _of_sample(path: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}origin=sample"


def _address(page: Page, console: WholeConsole, shot: Shot) -> str:
    if not shot.follow:
        return shot.path
    page.goto(_of_sample(shot.path))
    found = page.locator(shot.follow).first.get_attribute("href")
    assert found, shot
    return found


def _take(
    browser: Browser, console: WholeConsole, shot: Shot, address: str, look: str, state: object
) -> None:
    page = _open(browser, console, look, None if shot.name in SIGNED_OUT else state)
    page.goto(_of_sample(address))
    page.wait_for_load_state("networkidle") if shot.name in SIGNED_OUT else page.wait_for_timeout(1_200)
    picture = FOLDER / f"{shot.name}-{look}.png"
    picture.write_bytes(packed(page.screenshot(animations="disabled")))
    print(f"{picture.name}: {picture.stat().st_size // 1024} KiB", flush=True)
    page.context.close()


def packed(png: bytes) -> bytes:
    """The same picture, its pixels deflated as well as they can be."""
    chunks = list(_chunks(png))
    pixels = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    head = [(kind, data) for kind, data in chunks if kind in (b"IHDR", b"PLTE", b"tRNS")]
    best = min(
        (_deflated(pixels, strategy) for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED)), key=len
    )
    written = b"".join(_chunk(kind, data) for kind, data in [*head, (b"IDAT", best), (b"IEND", b"")])
    return png[:8] + written


def _deflated(pixels: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, strategy)
    return packer.compress(pixels) + packer.flush()


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
