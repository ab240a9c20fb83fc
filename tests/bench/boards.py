"""What a board costs the server as history grows, and with thousands of open groups.

Each size has a database of its own, and the sizes take turns page by page, so that what else happens on this
machine hits all of them alike.
"""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Role
from console.alerts.models import AlertGroup
from console.config.asgi import COLLECT_AFTER
from console.fleet.models import Machine
from console.interruptions import kept
from console.interruptions.models import Interruption
from tests.bench import databases
from tests.bench.figure import percentile
from tests.bench.history import write_history
from tests.make_accounts import make_user

SIZES = (1_000, 100_000, 1_000_000)
MANY_GROUPS = 10_000
ROUNDS = 8
EACH = 6
"""Looks a round; 48 of each page at each size, so that its p95 is the third slowest and not one outlier."""
WARM_UP = 2
MOST_GROWTH, MOST_QUERIES, MOST_MS = 1.3, 20, 200.0
ANEW = ("executive_anew",)
"""The first look after a roll-up, once a minute: it reads what later looks keep, so it may grow with the reclaims."""


@dataclass(frozen=True, slots=True)
class Board:
    """What one page cost at each size, in milliseconds, and the most queries it took."""

    name: str
    times: Mapping[str, list[float]]
    queries: int
    is_whole: bool
    """Neither searched nor filtered: such a page is as full at a thousand as at a million, so it must not grow."""

    @property
    def growth(self) -> float:
        return percentile(self.times[_database(SIZES[-1])], 95) / percentile(
            self.times[_database(SIZES[0])], 95
        )

    @property
    def is_ok(self) -> bool:
        slowest = max(percentile(times, 95) for times in self.times.values())
        has_grown = self.is_whole and self.growth > MOST_GROWTH
        return not has_grown and self.queries <= MOST_QUERIES and slowest <= MOST_MS

    def line(self, name: str) -> dict[str, object]:
        largest = self.times[_database(SIZES[-1])]
        return {
            "name": f"{name}.{self.name}",
            "value": round(percentile(largest, 95), 1),
            "unit": "ms",
            "limit": MOST_MS,
            "ok": self.is_ok,
            "p50": round(percentile(largest, 50), 1),
            "p95": round(percentile(largest, 95), 1),
            "growth": round(self.growth, 2),
            "growth_limit": MOST_GROWTH if self.is_whole else None,
            "queries": self.queries,
            "queries_limit": MOST_QUERIES,
            "sizes": {
                size: [round(percentile(times, p), 1) for p in (50, 95)] for size, times in self.times.items()
            },
        }


@dataclass(slots=True)
class Sitting:
    """One database with somebody signed in, and the pages to look at."""

    database: str
    client: Client = field(default_factory=lambda: Client(SERVER_NAME="localhost"))
    urls: dict[str, str] = field(default_factory=dict)


def boards() -> Iterator[Board]:
    """Every board at every size."""
    sittings = [_sit_down(_database(size), size=size) for size in SIZES]
    sittings.append(_sit_down("bench_open_groups", size=SIZES[0], open_groups=MANY_GROUPS))
    _collect_as_the_console_does()
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    queries: dict[str, int] = defaultdict(int)
    for turn in range(ROUNDS + 1):
        for sitting in sittings:
            with databases.using(sitting.database):
                for name, url in sitting.urls.items():
                    if turn == 0:
                        queries[name] = max(queries[name], _queries(sitting.client, url))
                    else:
                        times[name][sitting.database] += _look(sitting.client, url, is_anew=name in ANEW)
    for name, measured in times.items():
        is_whole = "?" not in sittings[0].urls[name] and name not in ANEW
        yield Board(name, measured, queries[name], is_whole=is_whole)


def _collect_as_the_console_does() -> None:
    gc.set_threshold(*COLLECT_AFTER)
    gc.collect()
    gc.freeze()


def _database(size: int) -> str:
    return f"bench_{size}"


def _sit_down(database: str, *, size: int, open_groups: int = 40) -> Sitting:
    databases.make_empty(database)
    with databases.using(database):
        write_history(size, now=timezone.now(), open_groups=open_groups)
        sitting = Sitting(database)
        sitting.client.force_login(make_user("bench", role=Role.ADMIN))
        sitting.urls = _urls()
    return sitting


def _urls() -> dict[str, str]:
    """The boards, searched and filtered too; reclaims in the middle of history and while they happen."""
    old = Interruption.objects.order_by("pk")[Interruption.objects.count() // 2]
    machine = Machine.objects.get(pk=old.machine_id)
    one, several = reverse("dashboards:interruption_list"), reverse("alerts:group_list")
    return {
        "oncall": reverse("dashboards:oncall"),
        "oncall_search": reverse("dashboards:oncall") + "?q=i-open00000000000",
        "debug": reverse("dashboards:debug"),
        "debug_search": reverse("dashboards:debug") + f"?q={machine.instance_id[:-2]}",
        "interruption": reverse("dashboards:interruption_detail", args=[old.pk]),
        "interruption_open": reverse(
            "dashboards:interruption_detail", args=[Interruption.objects.running_out().earliest("pk").pk]
        ),
        "alerts": several,
        "alerts_resolved": f"{several}?status=resolved&service=service-3",
        "alerts_search": f"{several}?status=all&q=nowhere",
        "alert_group": reverse("alerts:group_detail", args=[AlertGroup.objects.open().earliest("pk").pk]),
        "interruptions": one,
        "interruptions_service": f"{one}?service=service-3&outcome=cancelled",
        "interruptions_search": f"{one}?q={machine.instance_id[:-2]}",
        "executive": reverse("dashboards:executive"),
        "executive_anew": reverse("dashboards:executive"),
    }


def _look(client: Client, url: str, *, is_anew: bool) -> list[float]:
    """Milliseconds of some requests, the template and every middleware included; the first ones warm up."""
    times = []
    for _ in range(WARM_UP + EACH):
        _forget_filters(client)
        if is_anew:
            kept.forget()
        started = time.perf_counter()
        response = client.get(url)
        times.append((time.perf_counter() - started) * 1_000)
        assert response.status_code == 200, (url, response.status_code)
    return times[WARM_UP:]


def _forget_filters(client: Client) -> None:
    """Boards remember what they were last filtered by, and would lead there."""
    for name in set(client.cookies) - {settings.SESSION_COOKIE_NAME}:
        del client.cookies[name]


def _queries(client: Client, url: str) -> int:
    _forget_filters(client)
    client.get(url)
    _forget_filters(client)
    kept.forget()
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    return len(queries)
