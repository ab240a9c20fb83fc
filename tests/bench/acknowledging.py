"""What a click costs where fifty thousand machines are being taken in ten thousand open groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Role
from console.alerts.models import AlertGroup
from console.interruptions.models import Interruption
from tests.bench import databases
from tests.bench.figure import AtMost, Named, percentile
from tests.bench.history import write_history
from tests.make_accounts import make_user

DATABASE = "bench_acknowledge"
OPEN_ROWS, OPEN_GROUPS = 50_000, 10_000
CLICKS, LOOKS = 100, 40
LIMIT_MS = 300.0


def acknowledged() -> Iterator[AtMost]:
    """p95 of acknowledging, and of the list of all these groups."""
    databases.make_empty(DATABASE)
    with databases.using(DATABASE):
        write_history(1_000, now=timezone.now(), open_groups=OPEN_GROUPS, open_machines=OPEN_ROWS)
        client = Client(SERVER_NAME="localhost")
        client.force_login(make_user("bench", role=Role.RESPONDER))
        assert Interruption.objects.running_out().count() >= OPEN_ROWS
        groups = list(AlertGroup.objects.open().order_by("pk").values_list("pk", flat=True)[: CLICKS + 3])
        clicks = [_timed(lambda pk=pk: _click(client, pk)) for pk in groups][3:]
        looks = [_timed(lambda: client.get(reverse("alerts:group_list"))) for _ in range(LOOKS + 3)][3:]
        done = AlertGroup.objects.filter(pk__in=groups, status="acknowledged").count()
        open_groups = AlertGroup.objects.open().count()
    assert done == len(groups)
    more = {"open_rows": OPEN_ROWS, "open_groups": open_groups}
    for what, times in (("acknowledge", clicks), ("list", looks)):
        figures = {f"p{percent}": round(percentile(times, percent), 1) for percent in (50, 95)}
        yield Named(percentile(times, 95), "ms", LIMIT_MS, {"what": what, **figures, **more})


def _click(client: Client, pk: int) -> HttpResponse:
    url = reverse("alerts:group_action", args=[pk, "acknowledge"])
    return client.post(url, headers={"HX-Request": "true"})  # type: ignore[return-value]


def _timed(act: Callable[[], HttpResponse]) -> float:
    began = time.perf_counter()
    answer = act()
    took = (time.perf_counter() - began) * 1_000
    assert answer.status_code in (200, 204), answer.status_code
    return took
