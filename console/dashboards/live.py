"""The live lane: one LISTEN connection a process, fanned out to the open pages as server-sent events.

An event says which topics changed, never what a row holds; the page fetches its own regions. There is no
event log: every (re)connection begins with `refresh`, and a client too slow to keep up gets one too.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import close_old_connections

from console.lib.live import CHANNEL

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PING_EVERY = 15.0
SHORTEST_GAP = 0.1
"""Seconds between two events to one page: at most ten a second, the newest wins nothing, topics merge."""
MOST_CLIENTS = 500
RECONNECT_AFTER = 2.0
REFRESH = b"event: refresh\ndata: {}\n\n"


@dataclass(eq=False)
class Client:
    """One open page: the topics it watches, and what it has not been told yet."""

    watched: frozenset[str]
    topics: set[str] = field(default_factory=set)
    ids: set[int] = field(default_factory=set)
    must_refresh: bool = True
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, topics: set[str], ids: list[int]) -> None:
        news = topics & self.watched if self.watched else topics
        if not news:
            return
        self.topics |= news
        self.ids.update(ids)
        self.wake.set()

    def refresh(self) -> None:
        self.must_refresh = True
        self.wake.set()

    def take(self) -> bytes:
        """The next event for this page; what was waiting is merged into it."""
        self.wake.clear()
        topics, ids, must_refresh = sorted(self.topics), sorted(self.ids), self.must_refresh
        self.topics, self.ids, self.must_refresh = set(), set(), False
        if must_refresh:
            return REFRESH
        data = json.dumps({"topics": topics, "ids": ids if len(ids) <= 200 else []})
        return f"event: changed\ndata: {data}\n\n".encode()


class LiveStream:
    """The ASGI application under `/live/`."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._clients: set[Client] = set()
        self._listener: asyncio.Task[None] | None = None
        self._is_stopping = False

    def start(self) -> None:
        self._listener = asyncio.create_task(self._listen_forever())

    async def stop(self) -> None:
        self._is_stopping = True
        for client in self._clients:
            client.wake.set()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await _answer(send, 405, b"Use GET.")
        elif not await _is_signed_in(scope):
            await _answer(send, 401, b"Sign in first.")
        elif self._is_stopping or len(self._clients) >= MOST_CLIENTS:
            await _answer(send, 503, b"Too many open pages. The page asks for changes by itself meanwhile.")
        else:
            await self._stream(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = parse_qs(scope["query_string"].decode("ascii", "ignore")).get("topics", [""])[0]
        client = Client(watched=frozenset(asked.replace(",", " ").split()))
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self._clients.add(client)
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await self._feed(client, send, gone)
        finally:
            self._clients.discard(client)
            gone.cancel()

    async def _feed(self, client: Client, send: Send, gone: asyncio.Task[None]) -> None:
        client.wake.set()
        while not gone.done() and not self._is_stopping:
            waiting = asyncio.create_task(client.wake.wait())
            await asyncio.wait({waiting, gone}, timeout=PING_EVERY, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if gone.done() or self._is_stopping:
                break
            event = client.take() if client.wake.is_set() else b": ping\n\n"
            await send({"type": "http.response.body", "body": event, "more_body": True})
            await asyncio.sleep(SHORTEST_GAP)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                logger.warning("live.listen_lost", extra={"error": str(error)})
            await asyncio.sleep(RECONNECT_AFTER)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            for client in self._clients:
                client.refresh()
            async for notice in connection.notifies():
                news = json.loads(notice.payload)
                for client in self._clients:
                    client.tell(set(news["topics"]), news["ids"])


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _is_signed_in(scope: Scope) -> bool:
    raw = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    cookie = SimpleCookie(raw.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
    return cookie is not None and await sync_to_async(_has_user, thread_sensitive=False)(cookie.value)


def _has_user(session_key: str) -> bool:
    close_old_connections()
    try:
        return SESSION_KEY in SessionStore(session_key).load()
    finally:
        close_old_connections()
