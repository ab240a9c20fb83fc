"""The witness ledger added up: notice, channels, and the rows that its figures open."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from math import ceil
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from console.interruptions.coverage import Notices, channels, notices
from console.interruptions.measures import WEEK, Dimension, Scope, Window
from console.interruptions.models import Interruption, Observation
from console.interruptions.queries import ReclaimFilters, reclaims
from console.interruptions.rollups import roll_up
from tests.make_accounts import make_token, make_user
from tests.make_feeds import make_feed
from tests.make_fleet import NOON, make_machine, make_pool
from tests.make_interruptions import make_interruption
from tests.make_records import make_observation

pytestmark = pytest.mark.django_db
LIVE = Scope("live")
AN_HOUR_AGO = NOON - timedelta(hours=1)
DAY = 86_400


def opened(url: str) -> set[int]:
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return {row.pk for row in reclaims(origin="live", filters=ReclaimFilters.of(query))}


def whole(now: datetime = NOON) -> Notices:
    roll_up(now=now)
    return notices(LIVE, window=Window.last(WEEK, as_of=now))[0]


def told(**fields: Any) -> Interruption:
    """A reclaim that went 120 s after its notice; `after` is when we heard (None: never)."""
    kind = fields.pop("kind", "interruption_notice")
    after, happened, may_open = fields.pop("after"), fields.pop("happened", 0), fields.pop("may_open", True)
    interruption = make_interruption(started_at=AN_HOUR_AGO, **fields)
    if after is not None:
        make_observation(interruption, after=after, happened=happened, kind=kind, may_open=may_open)
    return interruption


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"after": 1}, "usable"),
        ({"after": 60}, "usable"),
        ({"after": 61}, "short"),
        ({"after": 120}, "late"),
        ({"after": 100, "ended_at": AN_HOUR_AGO + timedelta(seconds=95)}, "late"),
        ({"after": 1, "kind": "terminated"}, "untold"),
        ({"after": 1, "may_open": False}, "untold"),  # a maintenance notice
        ({"after": 1, "kind": "rebalance_recommendation"}, "untold"),
        ({"after": None}, "untold"),
        ({"after": DAY + 121}, "history"),
        # 30 s of notice where the cloud gives no deadline and is Google's
        (
            {
                "after": 16,
                "deadline_at": None,
                "provider": "gcp",
                "pool": None,
                "ended_at": AN_HOUR_AGO + timedelta(seconds=30),
            },
            "short",
        ),
        ({"after": 1, "state": "noticed", "ended_at": None}, None),
        ({"after": 1, "state": "cancelled"}, None),
        ({"after": 1, "cause": "maintenance"}, None),
    ],
)
def test_a_notice_is_judged_by_what_was_left_of_it_when_it_came(
    fields: dict[str, Any], verdict: str | None
) -> None:
    reclaim = told(**fields)
    found = whole()
    assert {word: getattr(found, word) for word in ("usable", "short", "late", "untold", "history")} == {
        word: int(word == verdict) for word in ("usable", "short", "late", "untold", "history")
    }
    assert found.over == (verdict not in (None, "history"))
    if verdict is not None:
        assert opened(found.urls[verdict]) == {reclaim.pk}


def test_promised_is_what_the_notice_says_and_actual_what_arrived() -> None:
    told(after=3)
    told(after=50, kind="terminated", notice_at=None, ended_at=AN_HOUR_AGO + timedelta(seconds=5))
    found = whole()
    assert (found.promised.count, found.promised.p50) == (1, 120)
    assert (found.actual.count, found.actual.p05, found.actual.p50) == (2, -45, -45)
    assert (found.actual.half, found.unusable_share) == ("45 s after the end", 0.5)
    assert found.is_low_confidence


def test_each_channel_is_held_against_the_reclaims_of_its_provider() -> None:
    bus, node = make_feed(slug="bus", name="Bus"), make_feed(slug="node", name="Node")
    unheard = make_feed(slug="unheard", name="Unheard")
    first, second = (make_interruption(started_at=AN_HOUR_AGO) for _ in range(2))
    google = make_interruption(started_at=AN_HOUR_AGO, provider="gcp")
    make_observation(first, after=2, feed=bus)
    make_observation(first, after=1, feed=node, source="node.report", kind="shutdown_started")
    make_observation(first, after=300, feed=bus)
    make_observation(second, after=130, feed=bus, kind="terminated")
    make_observation(google, after=5, feed=node, source="node.report")
    make_observation(second, after=-90, feed=unheard, kind="rebalance_recommendation")
    roll_up(now=NOON)
    found = channels(LIVE, window=Window.last(WEEK, as_of=NOON))
    rows = {(one.provider, one.name): one for one in found.rows}
    assert {key: (one.told, one.over, one.before, one.warned, one.first) for key, one in rows.items()} == {
        ("aws", "Bus"): (2, 2, 1, 1, 1),
        ("aws", "Node"): (1, 2, 1, 0, 1),
        ("gcp", "Node"): (1, 1, 1, 1, 1),
    }
    assert opened(rows["aws", "Node"].missed_url) == {second.pk}
    assert [feed.slug for feed in found.silent] == ["unheard"]


@pytest.mark.parametrize("seed", range(3))
def test_the_figures_agree_with_a_plain_count(seed: int) -> None:
    """Row by row in Python, whatever was told in which order by whom."""
    chance, feeds = Random(seed), [make_feed(slug=f"f{seed}{n}") for n in range(3)]
    pools = [make_pool(), make_pool(provider="gcp", region="us-east1", zone="us-east1-b")]
    for _ in range(60):
        pool = chance.choice(pools)
        machine = make_machine(pool=pool, provider=pool.provider, region=pool.region)
        at = NOON - timedelta(seconds=chance.randint(200, 6 * DAY))
        one = make_interruption(
            machine=machine, started_at=at, ended_at=at + timedelta(seconds=chance.choice([30, 90, 125]))
        )
        for _ in range(chance.randint(0, 4)):
            kind = chance.choice(["interruption_notice", "node_cordoned", "pod_evicted", "terminated"])
            make_observation(one, after=chance.uniform(0, 160), feed=chance.choice(feeds), kind=kind)
    found = {one.key: one for one in _by(Dimension.PROVIDER)}
    for provider in ("aws", "gcp"):
        rows = list(Interruption.objects.filter(pool__provider=provider))
        verdicts, actual = Counter(), []
        for row in rows:
            heard = [o for o in Observation.objects.filter(interruption=row) if o.kind != "pod_evicted"]
            warned = [o.received_at for o in heard if o.kind == "interruption_notice"]
            assert row.deadline_at is not None
            assert row.ended_at is not None
            if heard:
                actual.append((row.ended_at - min(o.received_at for o in heard)).total_seconds())
            if not warned:
                verdicts["untold"] += 1
            elif min(warned) >= min(row.deadline_at, row.ended_at):
                verdicts["late"] += 1
            else:
                verdicts["usable" if row.deadline_at - min(warned) >= timedelta(seconds=60) else "short"] += 1
        one = found[provider]
        assert (one.usable, one.short, one.late, one.untold) == tuple(
            verdicts[word] for word in ("usable", "short", "late", "untold")
        )
        assert one.actual.p05 == pytest.approx(sorted(actual)[ceil(0.05 * len(actual)) - 1], abs=0.0011)
    table: dict[tuple[str, int], set[int]] = defaultdict(set)
    for observation in Observation.objects.exclude(kind="pod_evicted").select_related("interruption__pool"):
        assert observation.interruption is not None
        assert observation.interruption.pool is not None
        table[observation.interruption.pool.provider, observation.feed_id].add(
            observation.interruption_id or 0
        )
    told_of = channels(LIVE, window=Window.last(WEEK, as_of=NOON)).rows
    assert {(one.provider, one.feed_id): one.told for one in told_of} == {k: len(v) for k, v in table.items()}


def _by(dimension: Dimension) -> list[Notices]:
    roll_up(now=NOON)
    return notices(LIVE, window=Window.last(WEEK, as_of=NOON), by=dimension)


def test_programs_get_the_same_as_json_and_csv(client: Client) -> None:
    now = timezone.now()
    reclaim = make_interruption(started_at=now - timedelta(hours=2))
    make_observation(reclaim, after=1, feed=make_feed(slug="bus"))
    roll_up(now=now)
    _, secret = make_token()
    headers = {"Authorization": f"Bearer {secret}"}
    (item,) = client.get("/api/v1/coverage", {"by": "pool"}, headers=headers).json()["items"]
    assert (item["n"], item["usable"], item["unusable_share"], item["actual_p50"]) == (1, 1, 0, 119)
    (item,) = client.get("/api/v1/coverage/channels", headers=headers).json()["items"]
    assert (item["feed"], item["told"], item["n"], item["is_low_confidence"]) == ("bus", 1, 1, True)
    answer = client.get("/api/v1/coverage/channels", {"format": "csv"}, headers=headers)
    assert b"".join(answer.streaming_content).decode().splitlines()[1].startswith("aws,bus,")
    assert client.get("/api/v1/coverage/channels", {"by": "pool"}, headers=headers).status_code == 422
    refused = client.get("/api/v1/interruptions", {"outcome": "notice_late"}, headers=headers)
    assert refused.status_code == 422


def test_the_page_says_what_there_is_and_what_is_missing(client: Client) -> None:
    client.force_login(make_user("alice"))
    page = client.get("/interruptions/coverage/").content.decode()
    assert "computed for the first time" in page
    now = timezone.now()
    roll_up(now=now)
    assert "Quiet: no reclaim ended" in client.get("/interruptions/coverage/").content.decode()
    reclaim = make_interruption(started_at=now - timedelta(hours=2))
    make_observation(reclaim, after=70, feed=make_feed(slug="bus", name="The bus"))
    roll_up(now=now)
    page = client.get("/interruptions/coverage/").content.decode()
    for words in ("100.0 %", "1 of 1 reclaims", "low confidence", "The bus", "50 s", "2 min 00 s"):
        assert words in page, words
    assert "in what the filters leave" in client.get("/interruptions/coverage/?provider=gcp").content.decode()
    told = b"".join(client.get("/interruptions/coverage/?format=csv").streaming_content).decode()
    assert told.splitlines()[1].startswith("aws,aws,1,0,1,")
