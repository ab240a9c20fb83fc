"""One port, three lanes: events in, live out, and everything else through synchronous Django.

`/ingest/…` is a small raw application (`ingest/receive.py`), `/live/…` server-sent events
(`dashboards/live.py`); pages and the API run in a thread pool, where the ORM belongs.
"""

from __future__ import annotations

import asyncio
import gc
import os
import select
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.config.settings")

import psycopg
from a2wsgi import WSGIMiddleware
from django.conf import settings
from psycopg_pool import AsyncConnectionPool

from console.config import celery  # noqa: F401 - the bells ring through it
from console.config.wsgi import application as pages
from console.dashboards.live import LiveStream
from console.ingest.receive import Receiver

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PAGE_THREADS = 6
COLLECT_AFTER = (20_000, 20, 20)
"""A batch of messages makes thousands of objects that die with it: looking for cycles among them finds none."""


class Console:
    """The ASGI application. Pools and background tasks live from start-up to shutdown of one process."""

    def __init__(self) -> None:
        self._pages = WSGIMiddleware(pages, workers=PAGE_THREADS)
        self._pool = AsyncConnectionPool(
            settings.DATABASE_URL, min_size=1, max_size=4, open=False, timeout=3.0,
            kwargs={"autocommit": True}, check=_check,
        )  # fmt: skip
        self._receiver = Receiver(self._pool)
        self._live = LiveStream(settings.DATABASE_LISTEN_URL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live_through(receive, send)
        elif scope["path"].startswith("/ingest/"):
            await self._receiver(scope, receive, send)
        elif scope["path"].startswith("/live/"):
            await self._live(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    async def _live_through(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._pool.open(wait=False)
                self._receiver.start()
                self._live.start()
                _collect_seldom()
                await send({"type": "lifespan.startup.complete"})
            else:
                await asyncio.gather(self._receiver.stop(), self._live.stop())
                await self._pool.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _check(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raises for a connection that a restart of the database cut. One that is whole has nothing to read while it
    idles, so it is asked only where there is something: a question for each event would cost as much as storing it.
    """
    looking = select.poll()
    looking.register(connection.fileno(), select.POLLIN)
    if looking.poll(0):
        await AsyncConnectionPool.check_connection(connection)


def _collect_seldom() -> None:
    """What start-up made stays for ever, and is never walked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


application = Console()
