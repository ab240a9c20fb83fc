"""Planned quiet on pages and for programs: who may, what is read back, what it would have hidden."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import Role, Scope, User
from console.alerts.models import AlertGroup, Receipt, Suppression, SuppressionHit
from console.alerts.suppression.preview import past_windows, preview
from console.fleet.models import Service
from console.notifications.models import Notification
from tests.make_accounts import make_token, make_user
from tests.make_fleet import make_machine, make_service, make_team
from tests.make_reclaims import alert, make_reclaim, second
from tests.make_suppressions import draft_of, make_suppression

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture
def checkout() -> Service:
    return make_service(slug="checkout", name="Checkout", team=make_team(slug="payments"))


def browser(role: Role = Role.MANAGER, name: str = "") -> Client:
    client = Client()
    client.force_login(make_user(name, role=role, time_zone="Europe/Berlin"))
    return client


def program(*scopes: Scope) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_token(*scopes)[1]}"})


def plan(**fields: Any) -> dict[str, Any]:
    told = {"kind": "maintenance", "name": "Upgrade", "reason": "New kernel", "scopes": "service:checkout"}
    told |= {"when": "now", "minutes": "60", "time_zone": "Europe/Berlin", "share": "50", "lasting": "2h"}
    return told | {"every": "weekly"} | fields


def asked(client: Client, **fields: Any) -> str:
    """What the preview beside the form says."""
    answer = client.post(
        "/suppressions/new/", plan(**fields), headers={"HX-Request": "true", "HX-Target": "preview"}
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_strangers_sign_in_and_viewers_look_but_plan_nothing(checkout: Service) -> None:
    made = make_suppression(now=timezone.now(), starts_at=timezone.now())
    for path in ("/suppressions/", "/suppressions/new/", f"/suppressions/{made.pk}/"):
        assert Client().get(path).status_code == 302
    viewer = browser(Role.VIEWER)
    assert viewer.get("/suppressions/new/").status_code == 403
    assert viewer.post(f"/suppressions/{made.pk}/cancel/").status_code == 403
    page = viewer.get(f"/suppressions/{made.pk}/").content.decode()
    assert f"/suppressions/{made.pk}/cancel/" not in page
    assert "Nodes are replaced one by one" in page


def test_a_plan_is_read_back_in_words_before_it_is_saved(checkout: Service) -> None:
    client, year = browser(), timezone.now().year + 1
    said = asked(
        client, name="", reason="", when="repeats", first_day=f"{year}-01-05", at="02:00", days=["TU", "TH"]
    )
    assert "every Tuesday and Thursday 02:00–04:00 Europe/Berlin" in said
    assert "Next: " in said
    assert not Suppression.objects.exists()
    assert "There is no service nowhere." in asked(client, scopes="service:nowhere")
    assert "no part of a rule" in asked(
        client, when="repeats", first_day=f"{year}-01-05", at="02:00", every="rule", rrule="x"
    )


def test_a_time_that_no_clock_shows_is_refused_at_its_field(checkout: Service) -> None:
    said = asked(browser(), when="once", starts="2027-03-28T02:30", ends="2027-03-28T05:00")
    assert "02:30 does not exist on 28 Mar 2027 in Europe/Berlin" in said


def test_a_saved_plan_stands_on_the_list_and_its_own_page(
    checkout: Service, django_assert_max_num_queries: Any
) -> None:
    client = browser(name="alice")
    answer = client.post("/suppressions/new/", plan(needs_signature="on"))
    made = Suppression.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/suppressions/{made.pk}/")
    make_suppression(
        now=timezone.now(), starts_at=timezone.now() + timedelta(hours=1), rrule="FREQ=DAILY", name="Nightly"
    )
    make_suppression(
        now=timezone.now(), starts_at=timezone.now() + timedelta(days=80), rrule="FREQ=YEARLY", name="Yearly"
    )
    make_suppression(now=timezone.now(), starts_at=timezone.now() + timedelta(days=2), name="Later")
    with django_assert_max_num_queries(20):
        page = client.get("/suppressions/").content.decode()
    assert [page.index(word) for word in ("Upgrade", "Later", "Nightly", "Yearly")] == sorted(
        page.index(word) for word in ("Upgrade", "Later", "Nightly", "Yearly")
    )
    assert "1 suppression active" in page
    assert "waits for a signature" in page
    with django_assert_max_num_queries(20):
        page = client.get(f"/suppressions/{made.pk}/").content.decode()
    assert "It hid nothing so far" in page
    assert 'value="Sign"' not in page
    other = browser(name="bob")
    assert "Sign</button>" in other.get(f"/suppressions/{made.pk}/").content.decode()
    other.post(f"/suppressions/{made.pk}/sign/")
    other.post(f"/suppressions/{made.pk}/extend/", {"minutes": "30"})
    other.post(f"/suppressions/{made.pk}/cancel/")
    made.refresh_from_db()
    assert (made.is_signed, made.duration, made.cancelled_at is not None) == (
        True,
        timedelta(minutes=90),
        True,
    )
    assert other.post(f"/suppressions/{made.pk}/explode/").status_code == 404
    assert "Upgrade" in client.get("/suppressions/?show=past").content.decode()


def test_a_responder_plans_from_now_on_for_four_hours_at_most(checkout: Service) -> None:
    client = browser(Role.RESPONDER)
    assert client.post("/suppressions/new/", plan(minutes="480")).status_code == 422
    assert (
        client.post(
            "/suppressions/new/", plan(when="once", starts="2027-01-05T02:00", ends="2027-01-05T03:00")
        ).status_code
        == 422
    )
    assert client.post("/suppressions/new/", plan(minutes="240")).status_code == 302


def test_a_suppressed_group_says_so_on_its_page_on_lists_and_for_programs(checkout: Service) -> None:
    now = timezone.now()
    made = make_suppression(now=now, starts_at=now)
    make_reclaim(make_machine(service=checkout), at=(now - second(0)).total_seconds() - 5)
    alert((now - second(0)).total_seconds() + 1)
    group = AlertGroup.objects.get(service=checkout)
    client = browser()
    page = client.get(f"/alerts/{group.pk}/").content.decode()
    assert f'<a href="/suppressions/{made.pk}/">Upgrade of the cluster</a> (Alice: Nodes are replaced' in page
    for path in ("/alerts/", "/oncall/"):
        assert "Suppressed" in client.get(path).content.decode()
    told = program(Scope.READ).get(f"/api/v1/alert-groups/{group.pk}").json()
    assert told["suppressed_by"] == made.pk


def past(checkout: Service, days_ago: float, decision: str, *people: User) -> AlertGroup:
    """A group of so many days before noon, and who was paged."""
    at = second(-days_ago * DAY)
    group = AlertGroup.objects.create(
        key=f"service:{checkout.pk}", service=checkout, title="Reclaims", triggered_at=at, last_news_at=at,
        status="resolved", resolution="healed", resolved_at=at + timedelta(minutes=9),
    )  # fmt: skip
    Receipt.objects.create(group=group, trigger="change:1", rule="r", decision=decision, reason="", at=at)
    for person in people:
        Notification.objects.create(
            key=f"{group.pk}:{person.pk}", kind="page", subject=f"group:{group.pk}", person=person, title="",
            state="delivered", created_at=at,
        )  # fmt: skip
    return group


def test_the_preview_counts_what_the_windows_of_the_last_30_days_would_have_hidden_and_whom_they_would_have_spared(
    checkout: Service, django_assert_max_num_queries: Any
) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    past(checkout, 7, "page", alice, bob)
    past(checkout, 7.02, "page", alice)
    past(checkout, 14, "ticket")
    past(checkout, 6, "page", bob)
    past(checkout, 31, "page", bob)
    past(make_service(slug="search"), 7, "page", bob)
    weekly = draft_of("service:checkout", at=7 * DAY - 600, rrule="FREQ=WEEKLY;COUNT=2")
    with django_assert_max_num_queries(7):
        found = preview(weekly, now=second(0))
    assert (found.groups, found.pages, found.tickets, found.windows) == (2, 1, 1, 5)
    assert [(day.day.day, day.groups, day.pages) for day in found.days] == [(4, 1, 1), (25, 1, 0)]
    assert [(one.name, one.pages) for one in found.people] == [("Alice", 1), ("Bob", 1)]
    whole = preview(draft_of("team:payments"), now=second(0))
    assert (whole.groups, whole.pages, whole.is_repeating) == (4, 3, False)
    assert [(one.name, one.pages) for one in whole.people] == [("Alice", 2), ("Bob", 2)]


@pytest.mark.parametrize(
    ("rrule", "windows"),
    [
        ("FREQ=DAILY", 31),
        ("FREQ=HOURLY;INTERVAL=6", 121),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=1", 2),
        ("FREQ=MONTHLY;BYMONTHDAY=31,-1", 1),
        ("FREQ=MONTHLY", 2),
        ("FREQ=YEARLY", 1),
        ("FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=4", 0),
    ],
)
def test_a_rule_is_laid_over_the_past_as_if_it_had_come_all_along(
    checkout: Service, rrule: str, windows: int
) -> None:
    found = past_windows(draft_of(rrule=rrule, at=365 * DAY, minutes=60), now=second(60))
    assert len(found) == windows
    assert all(second(60 - 30 * DAY) <= a < b <= second(60) for a, b in found)


def test_the_preview_says_what_guard_rails_would_have_let_through(checkout: Service) -> None:
    for n in range(10):
        make_reclaim(make_machine(service=checkout), at=n)
    alert(20)
    found = preview(draft_of("service:checkout", at=60), now=second(60))
    assert (found.groups, found.let_through) == (0, 2), "the wave and its service's group, without inventory"


def test_a_program_plans_cancels_and_takes_the_ledger_as_csv(checkout: Service) -> None:
    client, now = program(Scope.READ, Scope.MANAGE), datetime.now(UTC)
    body = {"name": "Deploy 4711", "reason": "Rolling restart", "scopes": ["service:checkout"], "minutes": 30}
    told = client.post("/api/v1/suppressions", body, content_type="application/json")
    assert told.status_code == 201, told.content
    made = told.json()
    assert (made["state"], made["scopes"], made["ends_at"] > now.isoformat()) == (
        "in_force",
        ["service:checkout"],
        True,
    )
    window = Suppression.objects.get(pk=made["id"]).occurrences.get()
    group = past(checkout, 0, "suppress")
    SuppressionHit.objects.create(occurrence=window, group=group, trigger="change:1", decision="page", at=now)
    lines = b"".join(
        client.get(f"/api/v1/suppressions/{made['id']}/ledger?format=csv").streaming_content
    ).decode()
    assert lines.splitlines()[0].startswith("id,at,group,group_title,service,trigger,would_have_been")
    assert ",Reclaims,checkout,change:1,page," in lines
    (listed,) = client.get("/api/v1/suppressions?state=in_force").json()["items"]
    assert (listed["pages_hidden"], listed["groups_hidden"], listed["author"]) == (1, 1, made["author"])
    for _ in range(2):
        assert client.post(f"/api/v1/suppressions/{made['id']}/cancel").json()["state"] == "cancelled"
    assert client.get("/api/v1/suppressions?state=live").json()["items"] == []
    assert client.get("/api/v1/suppressions?colour=red").status_code == 422
    assert (
        program(Scope.READ).post("/api/v1/suppressions", body, content_type="application/json").status_code
        == 403
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"scopes": ["service:nowhere"]}, "scopes"),
        ({"scopes": ["pool:" + "x" * 40]}, "scopes"),
        ({"rrule": "FREQ=MINUTELY"}, "rrule"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"kind": "capacity_change", "minutes": 1500}, "ends_at"),
        ({"minutes": None}, "minutes"),
        ({"ends_at": "2027-01-01T00:00:00Z"}, "minutes"),
        ({"team": "nobody"}, "team"),
        ({"reason": " "}, "reason"),
    ],
)
def test_what_a_program_gets_wrong_is_named(checkout: Service, changed: dict[str, Any], field: str) -> None:
    body = {"name": "Deploy", "reason": "Restart", "scopes": ["service:checkout"], "minutes": 30} | changed
    told = program(Scope.MANAGE).post("/api/v1/suppressions", body, content_type="application/json")
    assert (told.status_code, told.json()["errors"][0]["field"]) == (422, field)


def test_one_like_another_is_filled_in_and_the_scopes_of_a_link_too(checkout: Service) -> None:
    made = make_suppression(
        now=timezone.now(), starts_at=timezone.now(), rrule="FREQ=DAILY", time_zone="Asia/Tokyo"
    )
    page = browser().get(f"/suppressions/new/?from={made.pk}").content.decode()
    for word in ("Upgrade of the cluster", "service:checkout", "FREQ=DAILY", "Asia/Tokyo", 'value="1h"'):
        assert word in page
    assert "team:payments" in browser().get("/suppressions/new/?scope=team:payments").content.decode()
