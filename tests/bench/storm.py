"""Ten thousand reclaims of one zone in a minute: who is paged and when, and what the boards cost meanwhile.

The console is a whole one, its front door the only way in. What is counted afterwards is counted in SQL.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from playwright.async_api import Page

from tests.bench.figure import AtMost, Named, percentile
from tests.bench.messages import REGIONS, machine, warning
from tests.bench.screen import board_of
from tests.bench.whole_console import EMAIL, WholeConsole, whole_console

RECLAIMS = 10_000
SECONDS = 60.0
SERVICES = 200
BELOW_NEED = 3
"""Critical services with fewer replicas than they need: each pages for itself."""
CONNECTIONS = 16
LIMIT_MS = 5_000.0
BOARD_MS = 200.0
CONDITION = 10
"""From the tenth machine on it is a cascade of the zone, whatever runs there."""
LOOK_EVERY = 1.0
SETTLED_WITHIN = 120.0
REGION, ACCOUNT = "us-east-1", "204816327500"
MOST = 1 << 24
"""Machine numbers of the zone that goes stay below."""

FILL = f"""
from datetime import timedelta
from django.db import connection
from django.utils import timezone
from console.accounts.audit import Actor
from console.accounts.models import User
from console.fleet.models import Team
from console.oncall import policy_editing
from console.oncall.policy_editing import Draft, LevelDraft
now, by = timezone.now(), Actor.console("bench")
team = Team.objects.create(slug="platform", name="Platform")
values = dict(now=now, team=team.pk, services={SERVICES}, short={BELOW_NEED}, reclaims={RECLAIMS})
with connection.cursor() as cursor:
    for statement in (
        '''INSERT INTO fleet_service (origin, slug, name, team_id, kind, criticality, statefulness, replicas_wanted,
            description, log_url, trace_url, metric_url, created_at)
        SELECT 'live', 'service-' || s, 'Service ' || s, %(team)s, 'queue_workers',
            CASE WHEN s <= %(short)s THEN 'critical' ELSE 'user_facing' END, 'stateless', 12, '', '', '', '', %(now)s
        FROM generate_series(1, %(services)s) AS s''',
        '''INSERT INTO fleet_workloadstatus (origin, cluster, namespace, workload, service_id, at, wanted, ready,
            pending, is_declared, by_zone, needed)
        SELECT 'live', 'main', 'default', slug, id, %(now)s, 12, CASE WHEN criticality = 'critical' THEN 5 ELSE 11 END,
            0, false, '{{"a": 6, "b": 5}}', 6
        FROM fleet_service WHERE slug LIKE 'service-%%'
        ''',
        '''INSERT INTO fleet_attributionrule (origin, position, provider, account, region, namespace, node_pool,
            tags, service_id)
        SELECT 'live', row_number() OVER (ORDER BY id), '', '', '', '', '', jsonb_build_object('service', slug), id
        FROM fleet_service WHERE slug LIKE 'service-%%'
        ''',
        "ANALYZE",
    ):
        cursor.execute(statement, values)
admin = User.objects.get(email="{EMAIL}")
draft = Draft(name="Platform", slug="platform", levels=[LevelDraft(5, (("person", admin.pk),))])
policy = policy_editing.create(draft, origin="live", by=by, now=now)
policy_editing.use(policy, team=team, by=by, now=now)
"""

COUNT = """
import json
from django.db import connection
def one(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
print(json.dumps({
    "waiting": one("SELECT (SELECT count(*) FROM feeds_queueddelivery) + (SELECT count(*) FROM"
                   " interruptions_interruptionchange)"),
    "reclaims": one("SELECT count(*) FROM interruptions_interruption WHERE origin = 'live'"),
    "members": one("SELECT count(DISTINCT m.interruption_id) FROM alerts_groupmember m JOIN alerts_alertgroup g"
                   " ON g.id = m.group_id WHERE g.key LIKE 'service:%' AND g.origin = 'live'"),
    "groups": one("SELECT count(*) FROM alerts_alertgroup WHERE key LIKE 'service:%' AND origin = 'live'"),
    "waves": one("SELECT count(*) FROM alerts_alertgroup WHERE key LIKE 'wave:%'"),
    "without_receipt": one("SELECT count(*) FROM alerts_alertgroup g WHERE NOT EXISTS"
                           " (SELECT FROM alerts_receipt r WHERE r.group_id = g.id)"),
    "paged": one("SELECT json_object_agg(key, at) FROM (SELECT g.key, min(r.at) AS at FROM alerts_receipt r"
                 " JOIN alerts_alertgroup g ON g.id = r.group_id WHERE r.decision = 'page' GROUP BY 1) AS p"),
    "first_told": one("SELECT extract(epoch FROM min(created_at))::float8 FROM notifications_notification"
                      " WHERE kind = 'page'"),
}))
"""


@dataclass(slots=True)
class Sent:
    """When the reclaim that made it a cascade was answered, how many were, and what the boards took meanwhile."""

    count: int = 0
    is_true_at: float = 0.0
    took: float = 0.0
    boards: dict[str, list[float]] = field(default_factory=dict)


def one_zone() -> Iterator[AtMost]:
    """Milliseconds from the answer to the tenth reclaim to the wave's page in the outbox; and of boards meanwhile.

    The boards are timed where they are looked at, on the cores that work off the storm and send it.
    """
    with whole_console() as console:
        console.manage("shell", "-c", FILL)
        _list_machines(console)
        sent = asyncio.run(_storm(console))
        found = _settled(console)
    wave = [key for key in found["paged"] or {} if key.startswith("wave:")]
    alone = [key for key in found["paged"] or {} if not key.startswith("wave:")]
    first = (float(found["first_told"] or "inf") - sent.is_true_at) * 1_000
    more = {
        "answered": sent.count,
        "seconds": round(sent.took, 1),
        **{name: found[name] for name in ("reclaims", "members", "groups", "waves", "without_receipt")},
        "wave_pages": len(wave),
        "pages_of_services": len(alone),
    }
    is_whole = (
        sent.count == found["reclaims"] == found["members"] == RECLAIMS
        and found["without_receipt"] == 0
        and (len(wave), len(alone)) == (1, BELOW_NEED)
    )
    more |= {"is_whole": is_whole, "first_page_ms": round(first) if found["first_told"] else None}
    yield Named(first if is_whole else float("inf"), "ms", LIMIT_MS, {"what": "first_page", **more})
    for name, times in sent.boards.items():
        figures = {f"p{percent}": round(percentile(times, percent), 1) for percent in (50, 95)}
        yield Named(percentile(times, 95), "ms", BOARD_MS, {"what": name, "looks": len(times), **figures})


def _list_machines(console: WholeConsole) -> None:
    """The fleet as its inventory tells it: as many machines in the zone beside as in the one that will go."""
    secret = console.manage("token", "create", "bench", "--scope", "facts").split()[-1]
    begun = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    for zone in "ab":
        rows = [
            {
                "provider": "aws",
                "account": ACCOUNT,
                "region": REGION,
                "zone": f"{REGION}{zone}",
                "instance_id": machine(_number(number) + (MOST if zone == "b" else 0)),
                "instance_type": "m6i.large",
                "os": "linux",
                "lifecycle": "spot",
                "tags": {"service": f"service-{1 + number % SERVICES}"},
                "vcpus": 2,
                "started_at": begun,
            }
            for number in range(RECLAIMS)
        ]
        request = urllib.request.Request(
            f"{console.url}/api/v1/inventory",
            data=json.dumps(rows).encode(),
            headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
            method="PUT",
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            assert answer.status == 200, answer.read()


def _number(place: int) -> int:
    """Of a machine whose messages name this region."""
    return len(REGIONS) * (place + 1) + REGIONS.index(REGION)


async def _storm(console: WholeConsole) -> Sent:
    lines = console.manage("feed", "create", "bench", "--kind", "aws-eventbridge").split()
    sent, over = Sent(), asyncio.Event()
    async with board_of(console) as page:
        looking = asyncio.create_task(_look(page, console.url, sent, over))
        began = time.perf_counter()
        await _post(urlsplit(lines[0]).path, lines[-1], console.url, sent)
        sent.took = time.perf_counter() - began
        over.set()
        await looking
    return sent


async def _look(page: Page, url: str, sent: Sent, over: asyncio.Event) -> None:
    """Two boards, once a second each, as somebody who keeps pressing reload."""
    while not over.is_set():
        for name in ("oncall", "alerts"):
            began = time.perf_counter()
            answer = await page.request.get(f"{url}/{name}/", headers={"HX-Request": "true"})
            sent.boards.setdefault(name, []).append((time.perf_counter() - began) * 1_000)
            assert answer.ok, answer.status
        await asyncio.sleep(LOOK_EVERY)


async def _post(path: str, secret: str, url: str, sent: Sent) -> None:
    """One warning a POST, spread evenly over a minute."""
    port, began = urlsplit(url).port, time.perf_counter()
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
            "Content-Type: application/json\r\nContent-Length: ")  # fmt: skip

    async def send(lane: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(lane, RECLAIMS, CONNECTIONS):
            await asyncio.sleep(max(0.0, began + number * SECONDS / RECLAIMS - time.perf_counter()))
            body = warning(_number(number), "storm", at=datetime.now(UTC))
            writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(
                int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            )
            assert answer.startswith(b"HTTP/1.1 202"), answer
            sent.count += 1
            if sent.count == CONDITION:
                sent.is_true_at = time.time()
        writer.close()

    await asyncio.gather(*(send(lane) for lane in range(CONNECTIONS)))


def _settled(console: WholeConsole) -> dict[str, object]:
    """What is there once nothing waits any more."""
    until = time.monotonic() + SETTLED_WITHIN
    while True:
        found: dict[str, object] = json.loads(console.manage("shell", "-c", COUNT).splitlines()[-1])
        if not found["waiting"] or time.monotonic() > until:
            return found
        time.sleep(1)
