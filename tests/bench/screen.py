"""From the POST of a notice to its row on the on-call board in a real Chromium, under 200 events a second.

The board lists a hundred reclaims, the least time left first. So some notices a second are probes: machines
warned a minute earlier than all others, which therefore belong at the top whenever they come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from playwright.async_api import Page, async_playwright

from tests.bench.chromium import ARGUMENTS, EXECUTABLE
from tests.bench.figure import AtMost, percentile
from tests.bench.messages import REGIONS, machine, warning
from tests.bench.whole_console import EMAIL, PASSWORD, WholeConsole, whole_console

EVENTS_A_SECOND = 200
PROBE_EVERY = 60
SECONDS = 20.0
WARM_UP = 4.0
CONNECTIONS = 16
LIMIT_MS = 1_000
FIRST_PROBE = 0xF000000
WARNED_EARLIER = timedelta(seconds=60)
LAST_ROWS_WITHIN = 10.0

SERVICES = f"""
from console.fleet.models import AttributionRule, Service
for place, region in enumerate({REGIONS!r}, start=1):
    service = Service.objects.create(slug=f"service-{{place}}", name=f"Service {{place}}")
    AttributionRule.objects.create(position=place, region=region, service=service)
"""
STAMP = """
(prefix) => {
  window.firstSeen = {};
  const look = () => {
    const now = performance.timeOrigin + performance.now();
    for (const id of document.querySelector("#feed").textContent.match(new RegExp(prefix + "[0-9a-f]+", "g")) || [])
      if (!(id in window.firstSeen)) window.firstSeen[id] = now;
  };
  new MutationObserver(() => requestAnimationFrame(look)).observe(document.body,
    { childList: true, subtree: true, characterData: true });
  look();
}
"""


@dataclass(slots=True)
class Sent:
    """When each probe was written to its socket, in milliseconds since 1970, and how many were sent in all."""

    probes: dict[str, float] = field(default_factory=dict)
    count: int = 0
    answers: list[float] = field(default_factory=list)


def from_post_to_row() -> AtMost:
    with whole_console() as console:
        console.manage("shell", "-c", SERVICES)
        return asyncio.run(_measure(console))


async def _measure(console: WholeConsole) -> AtMost:
    lines = console.manage("feed", "create", "bench", "--kind", "aws-eventbridge").split()
    address, secret = lines[0], lines[-1]
    async with board_of(console) as page:
        await page.evaluate(STAMP, machine(FIRST_PROBE)[:-6])
        await _post(urlsplit(address).path, secret, console.url, seconds=WARM_UP, first=0, probes=False)
        sent = await _post(
            urlsplit(address).path, secret, console.url, seconds=SECONDS, first=100_000, probes=True
        )
        seen = await _seen(page, sent)
    delays = [seen[name] - at for name, at in sent.probes.items() if name in seen]
    missing = len(sent.probes) - len(delays)
    worst = float("inf") if missing or not delays else percentile(delays, 99)
    more = {
        "p50": round(percentile(delays, 50)) if delays else None,
        "p99": round(percentile(delays, 99)) if delays else None,
        "probes": len(sent.probes),
        "not_seen": missing,
        "events_a_second": round(sent.count / SECONDS),
        "answer_p99_ms": round(percentile(sent.answers, 99), 1),
    }
    return AtMost(worst, "ms", LIMIT_MS, more)


@asynccontextmanager
async def board_of(console: WholeConsole) -> AsyncIterator[Page]:
    """The on-call board of somebody signed in, the pointer away from its lists."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await page.goto(f"{console.url}/oncall/")
        await page.get_by_label("E-mail").fill(EMAIL)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.goto(f"{console.url}/oncall/")
        await page.mouse.move(700, 5)
        await page.wait_for_selector('[data-live-state="live"]')
        yield page
        await browser.close()


async def _seen(page: Page, sent: Sent) -> dict[str, float]:
    until = time.monotonic() + LAST_ROWS_WITHIN
    while True:
        seen: dict[str, float] = await page.evaluate("window.firstSeen")
        if len(seen) >= len(sent.probes) or time.monotonic() > until:
            return seen
        await asyncio.sleep(0.2)


async def _post(path: str, secret: str, url: str, *, seconds: float, first: int, probes: bool) -> Sent:
    """One event a POST, evenly spaced over some kept connections."""
    sent, started = Sent(), time.perf_counter()
    total = int(seconds * EVENTS_A_SECOND)
    port = urlsplit(url).port
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
            "Content-Type: application/json\r\nContent-Length: ")  # fmt: skip

    async def send(lane: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(lane, total, CONNECTIONS):
            await asyncio.sleep(max(0.0, started + number / EVENTS_A_SECOND - time.perf_counter()))
            is_probe = probes and number % PROBE_EVERY == 0
            now = datetime.now(UTC)
            which = FIRST_PROBE + number if is_probe else first + number
            body = warning(which, "screen", at=now - WARNED_EARLIER if is_probe else now)
            posted = time.time() * 1_000
            writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(
                int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            )
            assert answer.startswith(b"HTTP/1.1 202"), answer
            sent.answers.append(time.time() * 1_000 - posted)
            sent.count += 1
            if is_probe:
                sent.probes[machine(which)] = posted
        writer.close()

    await asyncio.gather(*(send(lane) for lane in range(CONNECTIONS)))
    return sent
