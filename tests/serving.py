"""The whole console, all three lanes, behind a real server on a free port and on this run's test database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from console.alerts import pipeline as alerting
from console.config.asgi import Console
from console.ingest import pipeline


class Counted:
    """The console, and how many requests it is answering: streams not among them, which end with their page."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.under_way = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/live/"):
            await self._console(scope, receive, send)
            return
        self.under_way += 1
        try:
            await self._console(scope, receive, send)
        finally:
            self.under_way -= 1


_running: list[Counted] = []


def requests_under_way() -> int:
    """Of all consoles that this process serves."""
    return sum(console.under_way for console in _running)


@contextmanager
def console_on_a_port() -> Iterator[int]:
    """The port of a running console. Needs database access; the lanes get connections of their own."""
    url = make_conninfo(settings.DATABASE_URL, dbname=str(connection.settings_dict["NAME"]))
    with override_settings(DATABASE_URL=url, DATABASE_LISTEN_URL=url):
        app = Counted(Console())
    _running.append(app)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="error", loop="asyncio", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(timeout=20)
    _running.remove(app)


def work_off() -> None:
    """What the workers do when a bell rings: record everything that waits, then alert on what changed."""
    while pipeline.record_batch(now=timezone.now()):
        pass
    alerting.alert(now=timezone.now())


class Worker(threading.Thread):
    """One worker that never sleeps long, in place of bells and Celery."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._is_over = threading.Event()
        self.failures: list[Exception] = []

    def run(self) -> None:
        try:
            while not self._is_over.wait(0.05):
                work_off()
        except Exception as error:
            self.failures.append(error)
        finally:
            connection.close()

    def stop(self) -> None:
        self._is_over.set()
        self.join(timeout=20)
        assert self.failures == []
