"""The front door under load: a real server process, stored before the answer, against raw inserts."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count

from console.feeds.models import Delivery, Feed, FeedKind, FeedToken
from tests.bench import floors
from tests.bench.figure import Figure
from tests.bench.messages import warning

CONNECTIONS = 16
BATCH = 100
SECONDS = 4.0
ROUNDS = 3
MOST_A_SECOND = {1: 8_000, BATCH: 60_000}
"""Requests are written for this many events a second; a server that is faster ends early and is timed to there."""
_numbers = count(1)


def single() -> Figure:
    """Accepted single POSTs a second at 16 connections ÷ single-row commits of 8 raw connections."""
    return _compare(batch=1, floor=lambda: floors.single_commits(seconds=SECONDS), limit=0.5)


def batch() -> Figure:
    """Events a second in batches of 100 ÷ rows of raw inserts of 1,000."""
    return _compare(batch=BATCH, floor=lambda: floors.multi_row_inserts(seconds=SECONDS), limit=0.4)


def _compare(*, batch: int, floor: object, limit: float) -> Figure:
    """Ours and the floor in turn, several times: what others do on this machine then hits both."""
    feed = Feed.objects.create(
        slug=f"bench-{next(_numbers)}", name="Bench", kind=FeedKind.AWS_EVENTBRIDGE, origin="test"
    )
    _, secret = FeedToken.issue(feed)
    ours, floors_seen = [], []
    with server() as port:
        write = partial(_requests, feed.slug, secret, batch=batch)
        asyncio.run(_post(port, write(seconds=1.0), seconds=1.0))
        for _ in range(ROUNDS):
            requests = write(seconds=SECONDS)
            floors_seen.append(floor())  # type: ignore[operator]
            ours.append(asyncio.run(_post(port, requests, seconds=SECONDS)))
    pairs = sorted(zip(ours, floors_seen, strict=True), key=lambda pair: pair[0] / pair[1])
    middle = pairs[len(pairs) // 2]
    stored = Delivery.objects.filter(feed_id=feed.pk).count()
    return Figure(middle[0], middle[1], limit, {"connections": CONNECTIONS, "batch": batch, "stored": stored,
                  "ratios": [round(a / b, 3) for a, b in pairs]})  # fmt: skip


@contextmanager
def server() -> Iterator[int]:
    """The console's web process, as `manage.py up` runs it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    argv = [sys.executable, "-m", "uvicorn", "console.config.asgi:application", "--fd", str(listener.fileno()),
            "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "on", "--no-access-log",
            "--log-level", "warning"]  # fmt: skip
    process = subprocess.Popen(argv, pass_fds=[listener.fileno()], env=os.environ)
    try:
        _wait_until_it_answers(listener.getsockname()[1])
        yield listener.getsockname()[1]
    finally:
        process.terminate()
        process.wait(15)
        listener.close()


def _wait_until_it_answers(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as probe:
            probe.sendall(b"GET /ingest/none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if probe.recv(64).startswith(b"HTTP/1.1 405"):
                return
    raise TimeoutError("the server does not answer")


def _requests(slug: str, secret: str, *, batch: int, seconds: float) -> list[bytes]:
    """Whole requests, each event with an id of its own, written before the clock starts."""
    head = (f"POST /ingest/{slug} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
            "Content-Type: application/json\r\nContent-Length: ")  # fmt: skip
    requests = []
    for _ in range(int(MOST_A_SECOND[batch] * seconds / batch)):
        events = [warning(next(_numbers), "b") for _ in range(batch)]
        body = events[0] if batch == 1 else b"[" + b",".join(events) + b"]"
        requests.append(f"{head}{len(body)}\r\n\r\n".encode() + body)
    return requests


async def _post(port: int, requests: Sequence[bytes], *, seconds: float) -> float:
    """Accepted events a second."""
    waiting = iter(requests)
    until = time.perf_counter() + seconds

    async def send() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        taken = 0
        while time.perf_counter() < until and (request := next(waiting, None)) is not None:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            said = await reader.readexactly(length)
            assert answer.startswith(b"HTTP/1.1 202"), answer
            taken += int(json.loads(said)["accepted"])
        writer.close()
        return taken

    started = time.perf_counter()
    accepted = sum(await asyncio.gather(*(send() for _ in range(CONNECTIONS))))
    return accepted / (time.perf_counter() - started)
