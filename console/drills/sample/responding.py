"""Mara, who is on call at Meridian: she takes up what hits a few services, through the API as programs do.

What she has done is known by the group itself, so a second run of the player does nothing twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec

from console.drills.sample.posting import Address, Cleared, Console, Door

NAME = "Mara Lindqvist"
SERVICES = ("recommender-training", "video-transcoding", "vision-training")
LOOKS_EVERY = 5.0
SHUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""Her key opens nothing any more. What she looks for may be missing all the same."""
GROUPS = "/api/v1/alert-groups"
EXECUTIONS = "/api/v1/executions"
NOTE = "Last checkpoint is 6 minutes old, the next one is under way. No need to wake anybody else."
PLAN: tuple[tuple[float, str, Mapping[str, Any]], ...] = (
    (14, "acknowledge", {}),
    (22, "step/1", {"act": "tick"}),
    (34, "note", {"text": NOTE}),
    (52, "step/2", {"act": "tick"}),
)
"""Seconds after the group was triggered, what she does, and with which words."""


class Responder:
    """Looks at open groups while reclaims are under way."""

    def __init__(
        self,
        console: Console,
        token: str,
        *,
        is_busy: Callable[[], bool],
        on_cleared: Callable[[], None],
        stop: threading.Event,
    ) -> None:
        self._token, self._stop = token, stop
        self._door = Door(console, Address("GET", GROUPS, token), stop=stop)
        self._is_busy, self._on_cleared = is_busy, on_cleared
        self._done: dict[int, int] = {}

    def work(self) -> None:
        """Until told to stop."""
        try:
            while not self._stop.wait(LOOKS_EVERY):
                if self._is_busy():
                    self._look(datetime.now(UTC))
        except Cleared:
            self._on_cleared()

    def _look(self, now: datetime) -> None:
        listed = self._get(f"{GROUPS}?status=open&limit=100")
        for group in listed.get("items", []):
            if group["service"] in SERVICES:
                self._handle(group, now=now)

    def _handle(self, group: dict[str, Any], *, now: datetime) -> None:
        """One step of the plan at a time; nothing of it where somebody else has the group."""
        pk, age = group["id"], (now - datetime.fromisoformat(group["triggered_at"])).total_seconds()
        if group["acknowledged_at"] and pk not in self._done:
            self._done[pk] = len(PLAN)
        done = self._done.get(pk, 0)
        if done < len(PLAN) and age >= PLAN[done][0]:
            _, verb, body = PLAN[done]
            self._act(group, verb, body)
            self._done[pk] = done + 1

    def _act(self, group: dict[str, Any], verb: str, body: Mapping[str, Any]) -> None:
        if not verb.startswith("step/"):
            self._post(f"{GROUPS}/{group['id']}/{verb}", body)
            return
        runs = self._get(f"{EXECUTIONS}?service={group['service']}&is_finished=false&limit=1")
        for run in runs.get("items", []):
            self._post(f"{EXECUTIONS}/{run['id']}/steps/{verb.removeprefix('step/')}", body)

    def _get(self, path: str) -> dict[str, Any]:
        status, answer = self._ask("GET", path)
        found = msgspec.json.decode(answer) if status == 200 and answer else {}
        return found if isinstance(found, dict) else {}

    def _post(self, path: str, body: Mapping[str, Any]) -> None:
        self._ask("POST", path, msgspec.json.encode(body))

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        return self._door.ask(body, at=Address(method, path, self._token), gone=SHUT)
