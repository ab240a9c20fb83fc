"""A board costs the same however much there is: equal queries, few of them, and pages that still fit the screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import expect

from console.accounts.models import Role
from console.alerts import correlate
from console.alerts.models import AlertGroup, GroupMember
from console.fleet.models import Machine, Pool, Service
from console.interruptions.models import Hook, Interruption, Move, Volume
from tests.browsing import PHONE, Sit, barriers, scrolls_sideways
from tests.make_accounts import make_user
from tests.make_feeds import make_feed
from tests.make_fleet import make_service, make_team

MOST_QUERIES = 20
PAGES = ("/oncall/", "/alerts/", "/alerts/{group}/", "/alerts/{group}/members/", "/debug/", "/interruptions/",
         "/interruptions/{one}/")  # fmt: skip
HX = {"HX-Request": "true"}


def fill(services: int, each: int, *, now: datetime) -> None:
    """So many services, each losing so many machines now, with what nodes report of every fifth."""
    feed = make_feed(slug=f"feed-{services}-{each}", last_seen_at=now)
    team = make_team()
    pool = Pool.objects.get_or_create(
        provider="aws", region="eu-west-1", zone="eu-west-1a", instance_type="m7i.large"
    )[0]
    for number in range(services):
        service = make_service(name=f"Service {services}-{number}", team=team)
        machines = Machine.objects.bulk_create(
            _machine(service, pool, f"i-{services}-{number}-{n}", now) for n in range(each)
        )
        reclaims = Interruption.objects.bulk_create(_reclaim(machine, now) for machine in machines)
        group = correlate.new_group(service, origin="live", execution=None, triggered_at=now, now=now)
        group.member_count = group.running_out_count = each
        group.save()
        GroupMember.objects.bulk_create(
            GroupMember(group=group, interruption=one, joined_at=now, reason="A reclaim") for one in reclaims
        )
        told = [{"origin": "live", "feed": feed, "machine": one.machine, "interruption": one, "at": now, "received_at": now,
                 "report_id": one.key} for one in reclaims[::5]]  # fmt: skip
        Hook.objects.bulk_create(
            Hook(**known, outcome="failed", started_at=now, finished_at=now) for known in told
        )
        Move.objects.bulk_create(
            Move(**known, workload="web", workload_class="stateless", evicted_at=now) for known in told
        )
        Volume.objects.bulk_create(Volume(**known, volume="vol-1", detached_at=now) for known in told)


def _machine(service: Service, pool: Pool, name: str, now: datetime) -> Machine:
    return Machine(
        provider="aws", instance_id=name, service=service, pool=pool, first_seen_at=now, last_seen_at=now
    )


def _reclaim(machine: Machine, now: datetime) -> Interruption:
    return Interruption(
        machine=machine, service=machine.service, pool=machine.pool, provider="aws", region="eu-west-1",
        key=f"aws:{machine.instance_id}:1", opened_by=machine.instance_id, state="noticed", cause="spot", started_at=now,
        notice_at=now, deadline_at=now + timedelta(minutes=2), first_received_at=now, last_received_at=now, updated_at=now,
    )  # fmt: skip


def queries_of(client: Client, path: str, **headers: str) -> int:
    with CaptureQueriesContext(connection) as told:
        answer = client.get(path, headers=headers)
    assert answer.status_code == 200, (path, answer.status_code)
    return len(told)


def counts(client: Client) -> dict[str, int]:
    group, one = AlertGroup.objects.latest("pk").pk, Interruption.objects.latest("pk").pk
    return {path: queries_of(client, path.format(group=group, one=one)) for path in PAGES}


@pytest.mark.django_db
def test_ten_times_the_rows_ask_no_more_of_the_database() -> None:
    client = Client()
    client.force_login(make_user("alice"))
    now = datetime.now(UTC)
    fill(2, 5, now=now)
    counts(client)  # what is asked once per process
    few = counts(client)
    fill(20, 6, now=now)
    many = counts(client)
    assert {path: asked for path, asked in many.items() if asked > few[path]} == {}
    assert max(few.values()) <= MOST_QUERIES, few


@pytest.mark.django_db
def test_a_region_pays_for_itself_and_not_for_its_page() -> None:
    client = Client()
    client.force_login(make_user("alice"))
    fill(2, 5, now=datetime.now(UTC))
    whole = queries_of(client, "/oncall/")
    for region in ("headline", "feed", "groups", "services", "side"):
        assert queries_of(client, "/oncall/", **HX, **{"HX-Target": region}) < whole / 2, region


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/oncall/", "/alerts/", "/debug/"])
def test_an_unchanged_region_is_not_sent_again(path: str) -> None:
    client = Client()
    client.force_login(make_user("alice", role=Role.RESPONDER))
    fill(2, 5, now=datetime.now(UTC))
    region = {"/oncall/": "groups", "/alerts/": "group-table", "/debug/": "machines"}[path]
    first = client.get(path, headers=HX | {"HX-Target": region})
    again = client.get(path, headers=HX | {"HX-Target": region, "X-Region-Digest": first["X-Region-Digest"]})
    assert (first.status_code, again.status_code) == (200, 204)


@pytest.mark.django_db
def test_regions_asked_for_together_come_together_and_only_those_that_differ() -> None:
    client = Client()
    client.force_login(make_user("alice", role=Role.RESPONDER))
    fill(2, 5, now=datetime.now(UTC))
    names = ["headline", "groups", "services"]
    both = client.get("/oncall/", headers=HX | {"HX-Target": " ".join(names)})
    alone = [client.get("/oncall/", headers=HX | {"HX-Target": name}) for name in names]
    assert {name: told["html"] for name, told in both.json().items()} == {
        name: answer.content.decode() for name, answer in zip(names, alone, strict=True)
    }
    digests = both["X-Region-Digest"].split()
    assert digests == [answer["X-Region-Digest"] for answer in alone]
    asked = HX | {"HX-Target": " ".join(names), "X-Region-Digest": f"{digests[0]} - {digests[2]}"}
    assert list(client.get("/oncall/", headers=asked).json()) == ["groups"]
    asked |= {"X-Region-Digest": " ".join(digests)}
    assert client.get("/oncall/", headers=asked).status_code == 204


@pytest.mark.django_db
def test_regions_together_cost_less_than_one_by_one() -> None:
    client = Client()
    client.force_login(make_user("alice", role=Role.RESPONDER))
    fill(2, 5, now=datetime.now(UTC))
    names = ["headline", "feed", "groups"]
    single = sum(queries_of(client, "/oncall/", **HX, **{"HX-Target": name}) for name in names)
    assert queries_of(client, "/oncall/", **HX, **{"HX-Target": " ".join(names)}) < single / 1.5


@pytest.fixture
def storm(transactional_db: None) -> None:
    """Ten thousand machines of fifty services are going."""
    fill(50, 200, now=datetime.now(UTC))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "options", [{}, {"viewport": PHONE, "color_scheme": "dark"}], ids=["wide", "dark phone"]
)
def test_ten_thousand_reclaims_fit_every_page(sit: Sit, storm: None, options: dict[str, object]) -> None:
    desk = sit(**options)
    group, one = AlertGroup.objects.latest("pk"), Interruption.objects.latest("pk")
    for path, words in (
        ("/oncall/", "10000 machines are being reclaimed from 50 services"),
        ("/alerts/", "The end of the list"),
        (f"/alerts/{group.pk}/", "200 still running"),
        ("/debug/", "More"),
        ("/interruptions/", "Older"),
        (f"/interruptions/{one.pk}/", one.machine.instance_id),
    ):
        page = desk.page(path)
        expect(page.locator("main")).to_contain_text(words)
        expect(page.locator('[data-live-state="live"]')).to_be_visible()
        assert not scrolls_sideways(page), path
        if path in ("/oncall/", "/debug/"):
            assert barriers(page) == [], path
        page.close()
