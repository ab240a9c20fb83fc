"""Sending over HTTP, one message after the other on each lane, as patiently as a good sender should."""

from __future__ import annotations

import http.client
import queue
import threading
from collections.abc import Callable, Container
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

GONE = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
MOST_WAITING = 1_000
MOST_TOGETHER = 200
TIMEOUT = 30.0
LONGEST_PAUSE = 15.0


class Cleared(Exception):
    """The console does not know this sender any more: the sample fleet was cleared."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a lane leads: a feed that takes messages, or an API path that takes a list of rows."""

    method: str
    path: str
    secret: str


@dataclass(frozen=True, slots=True)
class Console:
    """The console as seen from its own machine: where it listens, and by which name it is called."""

    listens_at: str
    called: str

    @property
    def headers(self) -> dict[str, str]:
        called = urlsplit(self.called)
        return {"Host": called.netloc, "X-Forwarded-Proto": called.scheme}


class Door:
    """One connection to the front door. `put` returns when the console has answered."""

    def __init__(self, console: Console, address: Address, *, stop: threading.Event) -> None:
        self._console, self._address, self._stop = console, address, stop
        self._connection: http.client.HTTPConnection | None = None

    def put(self, rows: list[dict[str, Any]], *, is_list: bool = True) -> int:
        """The status of the answer. Waits where the console is busy or away; 0 when told to stop meanwhile."""
        return self.ask(msgspec.json.encode(rows if is_list or len(rows) > 1 else rows[0]))[0]

    def ask(
        self, body: bytes | None, *, at: Address | None = None, gone: Container[int] = GONE
    ) -> tuple[int, bytes]:
        """The status and the body of the answer, as patiently. `at` asks elsewhere over the same connection."""
        pause = 0.5
        while not self._stop.is_set():
            status, wait, answer = self._try(body, at or self._address)
            if status in gone:
                raise Cleared
            if status and status not in LATER:
                return status, answer
            self._stop.wait(wait or pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        return 0, b""

    def _try(self, body: bytes | None, address: Address) -> tuple[int, float, bytes]:
        """Status (0: nobody there), the seconds it asks to wait, and what it says."""
        if self._connection is None:
            place = urlsplit(self._console.listens_at)
            self._connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT)
        headers = self._console.headers | {
            "Authorization": f"Bearer {address.secret}",
            "Content-Type": "application/json",
            "User-Agent": "spot-console-sample/1",
        }
        try:
            self._connection.request(address.method, address.path, body, headers)
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            return 0, 0.0, b""
        wait = answer.headers.get("Retry-After", "")
        return answer.status, min(float(wait), 60.0) if wait.isdigit() else 0.0, said


class Lane(threading.Thread):
    """A queue in front of a door. What waits is sent together; what waits too long is dropped, oldest first."""

    def __init__(
        self, name: str, door: Door, *, is_list: bool, on_cleared: Callable[[], None], stop: threading.Event
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._door, self._is_list, self._on_cleared, self._stop_asked = door, is_list, on_cleared, stop
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue(MOST_WAITING)

    def send(self, body: dict[str, Any]) -> None:
        while True:
            try:
                return self._waiting.put_nowait(body)
            except queue.Full:
                self._take()

    def run(self) -> None:
        try:
            while not self._stop_asked.is_set():
                if rows := self._together():
                    self._door.put(rows, is_list=self._is_list)
        except Cleared:
            self._on_cleared()

    def _together(self) -> list[dict[str, Any]]:
        try:
            rows = [self._waiting.get(timeout=1.0)]
        except queue.Empty:
            return []
        while len(rows) < MOST_TOGETHER and (more := self._take()) is not None:
            rows.append(more)
        return rows

    def _take(self) -> dict[str, Any] | None:
        try:
            return self._waiting.get_nowait()
        except queue.Empty:
            return None
