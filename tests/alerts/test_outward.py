"""What programs outside hear: CloudEvents of reclaims, groups and tickets, signed, at least once and in turn."""

from __future__ import annotations

import hmac
import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry
from console.alerts import handling
from console.alerts.models import AlertGroup
from console.fleet.models import WorkloadStatus
from console.notifications.models import EventDelivery, OutwardEvent, Subscriber
from console.notifications.subscribers import changes, keeping, sending
from console.notifications.subscribers.changes import CannotSubscribe, Wanted
from console.notifications.subscribers.posting import NotDelivered, check_url, post
from tests.make_accounts import make_user
from tests.make_escalations import by, decide, make_group, minute
from tests.make_fleet import NOON, make_machine, make_service
from tests.make_interruptions import make_move
from tests.make_reclaims import alert, make_reclaim, second, tell

pytestmark = pytest.mark.django_db


@dataclass
class Receiver:
    """A real webhook sink: keeps what it takes, and answers as it is told to."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    """What to answer next, one each; then 200."""
    refuses: str = ""
    """A subject whose events are answered 422."""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [json.loads(body)["id"] for _, body in self.heard]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = told.answers.pop(0) if told.answers else 200
            if told.refuses and json.loads(body)["subject"] == told.refuses:
                status = 422
            if status == 200:
                told.heard.append((dict(self.headers), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    told.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


def subscribe(receiver: Receiver, **fields: Any) -> tuple[Subscriber, str]:
    known = {"name": "autoscaler", "url": receiver.url, "may_be_private": True}
    wanted = Wanted(**(known | fields))
    return changes.create(wanted, by=Actor.console("tests"), now=NOON - timedelta(hours=1))


def deliver(minutes: float = 1) -> int:
    return sending.deliver(now=minute(minutes))


def test_a_reclaim_is_told_stage_by_stage_with_its_service_and_workloads(receiver: Receiver) -> None:
    _, secret = subscribe(receiver, event_types=("spot.interruption.",))
    service = make_service(slug="checkout", name="Checkout", criticality="critical")
    WorkloadStatus.objects.create(
        service=service,
        cluster="prod",
        namespace="shop",
        workload="web",
        at=NOON,
        wanted=12,
        ready=7,
        needed=9,
    )
    reclaim = make_reclaim(make_machine(service=service))
    make_move(reclaim, seconds=None, workload="shop/web-1")
    alert(5)
    tell(reclaim, state="draining", drain_started_at=second(10))
    alert(11)
    tell(reclaim, state="ended", ended_at=second(119))
    alert(120)
    alert(121)
    deliver(3)
    events = [json.loads(body) for _, body in receiver.heard]
    assert [event["type"] for event in events] == [
        "spot.interruption.noticed",
        "spot.interruption.draining",
        "spot.interruption.ended",
    ]
    noticed = events[0]
    assert (noticed["specversion"], noticed["id"]) == ("1.0", f"{reclaim.key}:noticed")
    assert (noticed["subject"], noticed["time"]) == (reclaim.key, "2026-03-11T12:00:00.000Z")
    assert noticed["data"]["service"]["slug"] == "checkout"
    assert noticed["data"]["workloads"] == [
        {"cluster": "prod", "workload": "shop/web", "wanted": 12, "ready": 7, "needed": 9}
    ]
    assert noticed["data"]["moves"][0]["workload"] == "shop/web-1"
    headers, body = receiver.heard[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + b64encode(hmac.new(key, signed, sha256).digest()).decode()
    assert headers["webhook-signature"] == expected
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"


def test_hints_late_news_and_what_is_not_live_stay_inside(receiver: Receiver) -> None:
    subscribe(receiver)
    make_reclaim(make_machine(), state="at_risk")
    make_reclaim(make_machine(), is_late=True, state="ended", ended_at=second(1))
    make_reclaim(make_machine(origin="sample"))
    make_reclaim(make_machine(origin="drill"))
    alert(5)
    assert not OutwardEvent.objects.exclude(type__startswith="spot.group.").exists()
    assert set(OutwardEvent.objects.values_list("origin", flat=True)) <= {"live"}
    with pytest.raises(CannotSubscribe, match="Only live data leaves"):
        subscribe(receiver, name="sampler", origin="sample")


def test_a_drill_leaves_only_to_whoever_asked_for_drills(receiver: Receiver) -> None:
    subscribe(receiver)
    subscribe(receiver, name="rehearsal", origin="drill")
    make_reclaim(make_machine(origin="drill"))
    alert(5)
    assert set(EventDelivery.objects.values_list("subscriber__name", flat=True)) == {"rehearsal"}
    deliver()
    assert {json.loads(body)["origin"] for _, body in receiver.heard} == {"drill"}


def test_groups_and_tickets_are_told_in_the_transaction_of_the_change(receiver: Receiver) -> None:
    subscribe(receiver, event_types=("spot.group.", "spot.ticket."))
    alice, service = make_user("alice"), make_service(slug="checkout")
    group = make_group(service=service)
    decide(group, "ticket")
    handling.acknowledge(group.pk, by=by(alice), now=minute(1))
    handling.acknowledge(group.pk, by=by(alice), now=minute(1))
    handling.resolve(group.pk, by=by(alice), now=minute(2))
    deliver(3)
    told = [json.loads(body) for _, body in receiver.heard]
    assert [event["type"] for event in told] == [
        "spot.ticket.opened",
        "spot.group.acknowledged",
        "spot.group.resolved",
    ]
    assert told[1]["data"]["acknowledged_by"] == "Alice"
    assert told[1]["data"]["service"] == "checkout"


def test_a_subscriber_hears_only_what_it_asked_for_and_from_then_on(receiver: Receiver) -> None:
    alice = make_user("alice")
    old = make_group(service=make_service(slug="checkout"))
    handling.acknowledge(old.pk, by=by(alice), now=minute(-120))
    subscribe(receiver, event_types=("spot.group.resolved",), services=("checkout",))
    handling.resolve(old.pk, by=by(alice), now=minute(1))
    other = make_group(service=make_service(slug="search"))
    handling.resolve(other.pk, by=by(alice), now=minute(1))
    deliver(2)
    assert [event.split(":")[:3] for event in receiver.ids] == [["group", str(old.pk), "resolved"]]


def test_a_receiver_that_fails_gets_everything_again_in_turn(receiver: Receiver) -> None:
    row, _ = subscribe(receiver)
    groups = _resolved_groups()
    receiver.answers = [503]
    assert deliver(2) == 4
    assert receiver.heard == [], "where it is down the rest is not tried"
    row.refresh_from_db()
    assert row.failing_since == minute(2)
    assert EventDelivery.objects.filter(attempts=1).count() == 1
    assert deliver(2) == 0
    deliver(3)
    assert [event.split(":")[1] for event in receiver.ids] == [str(g.pk) for g in groups for _ in range(2)]
    row.refresh_from_db()
    assert (row.failing_since, row.last_delivered_at) == (None, minute(3))


def test_an_event_that_is_refused_holds_up_only_its_subject_and_is_given_up(receiver: Receiver) -> None:
    row, _ = subscribe(receiver)
    first, second_group = _resolved_groups()
    receiver.refuses = f"group:{first.pk}"
    at = 2.0
    for _ in range(sending.MOST_REFUSALS):
        deliver(at)
        at += 200
    assert {event.split(":")[1] for event in receiver.ids} == {str(second_group.pk)}
    refused = EventDelivery.objects.filter(state="failed").get()
    assert "answered 422" in refused.note
    receiver.refuses = ""
    changes.try_again(row.pk, by=Actor.console("tests"), now=minute(at))
    deliver(at)
    assert [event.split(":")[1] for event in receiver.ids[2:]] == [str(first.pk)] * 2


def test_what_a_killed_worker_had_claimed_is_sent_again(receiver: Receiver) -> None:
    subscribe(receiver)
    _resolved_groups()
    claimed = sending._claim(now=minute(2))
    assert len(claimed) == 4
    assert deliver(2) == 0
    deliver(5)
    assert len(receiver.heard) == 4


def _resolved_groups() -> list[AlertGroup]:
    """Two groups, each taken and then closed: four events."""
    alice = make_user("alice")
    groups = [make_group(), make_group()]
    for group in groups:
        handling.acknowledge(group.pk, by=by(alice), now=minute(0))
        handling.resolve(group.pk, by=by(alice), now=minute(1))
    return groups


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example/a", "Only https"),
        ("ftp://hooks.example/a", "begins with https"),
        ("https://user:pass@hooks.example/", "Leave the password out"),
        ("https://", "begins with https"),
    ],
)
def test_an_address_that_must_not_be_called_is_refused(url: str, words: str) -> None:
    assert words in check_url(url, may_be_private=False)


def test_a_private_address_is_not_connected_to_unless_an_administrator_allowed_it(receiver: Receiver) -> None:
    url = f"https://127.0.0.1:{receiver.port}/hook"
    with pytest.raises(NotDelivered, match="not public"):
        post(url, b"{}", {}, may_be_private=False)
    assert receiver.heard == []


def test_subscribers_are_made_and_looked_after_on_their_page(client: Client, receiver: Receiver) -> None:
    client.force_login(make_user("dora", role="admin"))
    typed = {"name": "bot", "url": receiver.url, "origin": "live"}
    refused = client.post("/settings/subscribers/", typed)
    assert refused.status_code == 422
    made = client.post("/settings/subscribers/", typed | {"may_be_private": "on"}).content.decode()
    row = Subscriber.objects.get()
    assert "whsec_" in made
    assert "whsec_" not in row.sealed_secret
    Subscriber.objects.update(created_at=NOON - timedelta(hours=1))
    _resolved_groups()
    deliver(2)
    page = strip_tags(client.get(f"/settings/subscribers/{row.pk}/").content.decode())
    assert "spot.group.resolved" in page
    assert "Delivered" in page
    for verb in ("pause", "resume", "again"):
        assert client.post(f"/settings/subscribers/{row.pk}/{verb}/").status_code == 302
    assert "whsec_" in client.post(f"/settings/subscribers/{row.pk}/secret/").content.decode()
    client.post(f"/settings/subscribers/{row.pk}/end/")
    row.refresh_from_db()
    assert row.archived_at is not None
    entries = AuditEntry.objects.filter(action__startswith="subscriber.").order_by("pk")
    assert [entry.action.partition(".")[2] for entry in entries] == [
        "create",
        "pause",
        "resume",
        "new_secret",
        "end",
    ]
    assert receiver.url not in json.dumps([[e.before, e.after] for e in entries])
    client.force_login(make_user("mona", role="manager"))
    assert client.get("/settings/subscribers/").status_code == 200
    assert client.post(f"/settings/subscribers/{row.pk}/end/").status_code == 403
    assert keeping.forget(now=minute(60 * 24 * 40)) == 4
