"""The front door under load: a real server process, stored before the answer, against raw inserts."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from django.db import connection

from console.feeds.models import Delivery, Feed, FeedKind, FeedToken
from tests.bench import floors
from tests.bench.figure import Figure
from tests.bench.messages import warning

CONNECTIONS = 16
BATCH = 100
SECONDS = 4.0
ROUNDS = 3
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
        asyncio.run(_post(port, feed.slug, secret, batch=batch, seconds=1.0))
        for _ in range(ROUNDS):
            floors_seen.append(floor())  # type: ignore[operator]
            ours.append(asyncio.run(_post(port, feed.slug, secret, batch=batch, seconds=SECONDS)))
    pairs = sorted(zip(ours, floors_seen, strict=True), key=lambda pair: pair[0] / pair[1])
    middle = pairs[len(pairs) // 2]
    stored = Delivery.objects.filter(feed_id=feed.pk).count()
    _empty()
    return Figure(middle[0], middle[1], limit, {"connections": CONNECTIONS, "batch": batch, "stored": stored,
                  "ratios": [round(a / b, 3) for a, b in pairs]})  # fmt: skip


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE feeds_delivery, feeds_deliverykey, feeds_queueddelivery")


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


async def _post(port: int, slug: str, secret: str, *, batch: int, seconds: float) -> float:
    """Accepted events a second."""
    accepted = 0
    until = time.perf_counter() + seconds
    head = (f"POST /ingest/{slug} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
            "Content-Type: application/json\r\nContent-Length: ")  # fmt: skip

    async def send() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        taken = 0
        while time.perf_counter() < until:
            events = [warning(number, "b") for number in (next(_numbers) for _ in range(batch))]
            body = events[0] if batch == 1 else b"[" + b",".join(events) + b"]"
            writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
            assert answer.startswith(b"HTTP/1.1 202"), answer
            taken += batch
        writer.close()
        return taken

    started = time.perf_counter()
    accepted = sum(await asyncio.gather(*(send() for _ in range(CONNECTIONS))))
    return accepted / (time.perf_counter() - started)
