"""List, then watch from there, then go on where it broke off: one resource of a cluster, for as long as it is wanted.

A version that is too old (410) is listed anew at once; whatever else fails is tried again after a while that grows.
What was told twice, after a break, is the receiver's to tell: events by their ids, states by their being states.
"""

from __future__ import annotations

import http.client
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from console.feeds.pollers.kubernetes_api import Api, ApiError, Gone, NotConfigured

logger = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
DENIED_WAIT = 300.0
"""Before a resource that the service account may not read is asked for again."""
SHORTEST_WATCH = 1.0


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object. Without an optional one the watch says less, and goes on."""

    name: str
    path: str
    is_optional: bool = False


RESOURCES = (
    Resource("events", "/api/v1/events"),
    Resource("nodes", "/api/v1/nodes"),
    Resource("pods", "/api/v1/pods"),
    Resource("budgets", "/apis/policy/v1/poddisruptionbudgets", is_optional=True),
    Resource("deployments", "/apis/apps/v1/deployments", is_optional=True),
    Resource("statefulsets", "/apis/apps/v1/statefulsets", is_optional=True),
    Resource("replicasets", "/apis/apps/v1/replicasets", is_optional=True),
)


@dataclass(frozen=True, slots=True)
class News:
    """`listed`: all there is (`objects`), replacing what was known; else one object added, changed or removed.

    `denied`: an optional resource may not be read. `failed`: another cannot be, for a reason.
    """

    resource: str
    what: Literal["listed", "changed", "removed", "alive", "denied", "failed"]
    objects: tuple[bytes, ...] = ()
    reason: str = ""
    again_in: float = 0.0
    """Seconds."""


class _Meta(msgspec.Struct, frozen=True):
    version: str = msgspec.field(name="resourceVersion", default="")


class _Object(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()
    code: int = 0
    message: str = ""


_OBJECT = msgspec.json.Decoder(_Object)
_FAILURES = (OSError, http.client.HTTPException, msgspec.MsgspecError, ApiError, NotConfigured)


class Stream:
    """One resource, followed. `emit` takes what is told; `rest` waits so many seconds, or less when all is to end."""

    def __init__(
        self, api: Api, resource: Resource, *, emit: Callable[[News], None], rest: Callable[[float], None]
    ) -> None:
        self._api = api
        self._resource = resource
        self._emit = emit
        self._rest = rest
        self._version = ""
        self._failures = 0

    def follow(self, is_wanted: Callable[[], bool]) -> None:
        while is_wanted():
            try:
                self._once(is_wanted)
            except Gone:
                self._version = ""
                self._failures += 1
                if self._failures > 1:
                    self._rest(self._wait())
            except _FAILURES as error:
                self._fail(error)

    def _once(self, is_wanted: Callable[[], bool]) -> None:
        if not self._version:
            listed = self._api.list(self._resource.path)
            self._emit(News(self._resource.name, "listed", tuple(listed.items)))
            self._version = listed.version
        began = time.monotonic()
        for kind, told in self._api.watch(self._resource.path, version=self._version):
            if not is_wanted():
                return
            self._hear(kind, told)
            self._failures = 0
        if time.monotonic() - began < SHORTEST_WATCH:
            self._rest(SHORTEST_WATCH)

    def _hear(self, kind: str, told: bytes) -> None:
        seen = _OBJECT.decode(told)
        if kind == "ERROR":
            if seen.code == http.HTTPStatus.GONE:
                raise Gone
            raise ApiError(seen.code, seen.message)
        if kind == "BOOKMARK":
            self._emit(News(self._resource.name, "alive"))
        else:
            self._emit(News(self._resource.name, "removed" if kind == "DELETED" else "changed", (told,)))
        self._version = seen.metadata.version or self._version

    def _fail(self, error: Exception) -> None:
        status = error.status if isinstance(error, ApiError) else 0
        is_denied = self._resource.is_optional and status in (403, 404)
        self._failures += 1
        wait = DENIED_WAIT if is_denied else self._wait()
        logger.warning(
            "kubernetes_watch.failed",
            extra={"resource": self._resource.name, "error": str(error)[:300], "again_in": round(wait, 1)},
        )
        if is_denied:
            self._emit(News(self._resource.name, "denied"))
        else:
            self._emit(News(self._resource.name, "failed", reason=self._api.why(error), again_in=wait))
        self._rest(wait)

    def _wait(self) -> float:
        longest = min(FIRST_WAIT * 2.0 ** min(self._failures - 1, 8), LONGEST_WAIT)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads reconnections, guards nothing
