"""What opens again and again is told of once in half an hour, shown as what it is, and ends by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import Role
from console.alerts import findings, flapping, routing, settle
from console.alerts import pipeline as alerting
from console.alerts.findings import Finding
from console.alerts.models import AlertGroup, Receipt, Severity
from console.alerts.receipts import Told
from console.alerts.weighing import Weighed
from console.lib.origin import Origin
from tests.make_accounts import make_user
from tests.make_fleet import NOON

MINUTE = timedelta(minutes=1)
KEY = "canary_late:console"


def at(minutes: float) -> datetime:
    return NOON + minutes * MINUTE


@pytest.mark.parametrize(
    ("openings", "told", "quiet_until"),
    [
        ([-50, -30, -10, 0], -50, None),  # told too long ago: it speaks
        ([-50, -30, -10, 0], -10, 20),
        ([-50, -30, -10, 0], None, None),  # nobody was told yet
        ([-30, -10, 0], -10, None),
        ([-61, -30, -10, 0], -10, None),
        ([-60, -30, -10, 0], -10, None),  # the hour is open at its far end
        ([-5, -4, -3, -2, 0], -5, 25),
    ],
)
def test_four_openings_within_an_hour_flap(
    openings: list[int], told: int | None, quiet_until: int | None
) -> None:
    group = AlertGroup(triggered_at=NOON, due_at=None)
    known = Told("page", "error", at(told), "canary") if told is not None else None
    flapping.judge(group, [at(minutes) for minutes in openings], known, now=NOON)
    assert group.flapping_until == (at(quiet_until) if quiet_until is not None else None)
    assert group.due_at == group.flapping_until, "it is looked at again then"


def test_what_flapped_and_opens_as_any_other_is_unmarked() -> None:
    group = AlertGroup(triggered_at=NOON, flapping_until=at(-5), flapping_severity="error", opening_count=5)
    assert flapping.judge(group, [NOON], None, now=NOON)
    assert (group.flapping_until, group.flapping_severity) == (None, "")


def fire(minutes: float, *, severity: Severity = Severity.ERROR) -> Receipt:
    """It opens, a minute later it is over. What was decided as it opened."""
    finding = Finding(
        key=KEY,
        origin=Origin.LIVE,
        title="The canary is late",
        text="It was not heard",
        severity=severity,
        detector="canary_late",
    )
    findings.open_findings([finding], now=at(minutes))
    receipt = Receipt.objects.filter(group__key=KEY).latest("pk")
    assert receipt.at == at(minutes)
    return receipt


def heal(minutes: float) -> None:
    findings.close_finding(KEY, text="Heard again", now=at(minutes), origin=Origin.LIVE)


@pytest.fixture
def root(db: None) -> None:
    make_user("root", role=Role.ADMIN)


@pytest.mark.usefixtures("root")
def test_the_fourth_opening_within_an_hour_is_quiet_and_says_why() -> None:
    told = []
    for minutes in (0, 10, 20, 29):
        told.append(fire(minutes))
        heal(minutes + 1)
    first = {receipt.decision for receipt in told[:3]}
    assert first <= {"page", "ticket"}
    assert told[3].decision == "log"
    assert told[3].reason.startswith(
        "Flapping: opened 4 times within an hour, and somebody was told. Quiet until 12:50 UTC"
    )


@pytest.mark.usefixtures("root")
def test_what_still_stands_when_the_quiet_ends_is_told() -> None:
    for minutes in (0, 10, 20):
        fire(minutes)
        heal(minutes + 1)
    assert fire(29).decision == "log"
    alerting.alert(now=at(49))
    group = AlertGroup.objects.open().get(key=KEY)
    assert group.due_at == at(50)
    alerting.alert(now=at(50))
    assert group.receipts.latest("pk").decision in ("page", "ticket")
    assert not group.is_flapping(now=at(50))


@pytest.mark.usefixtures("root")
def test_what_gets_worse_speaks_at_once() -> None:
    for minutes in (0, 10, 20):
        fire(minutes)
        heal(minutes + 1)
    assert fire(29, severity=Severity.CRITICAL).decision in ("page", "ticket")


@pytest.mark.parametrize(
    ("told_by", "severity", "is_worse"),
    [("ticket", "error", True), ("page", "error", False), ("page", "critical", True)],
)
def test_a_ticket_that_becomes_a_page_is_worse(told_by: str, severity: str, is_worse: bool) -> None:
    group = AlertGroup(severity=severity, flapping_severity="error", flapping_decision=told_by)
    assert routing._is_worse_than_flapping(group, Weighed("page", "")) is is_worse


@pytest.mark.usefixtures("root")
def test_once_stable_for_an_hour_it_opens_as_any_other() -> None:
    for minutes in (0, 10, 20, 29):
        fire(minutes)
        heal(minutes + 1)
    assert fire(95).decision in ("page", "ticket")
    assert AlertGroup.objects.open().get(key=KEY).flapping_until is None


@pytest.mark.usefixtures("root")
def test_it_is_shown_in_the_list_and_on_its_page(client: Client) -> None:
    now = timezone.now()
    group = AlertGroup.objects.create(
        key=KEY,
        title="The canary is late",
        triggered_at=now,
        last_news_at=now,
        flapping_until=now + 20 * MINUTE,
        flapping_severity="error",
        flapping_decision="ticket",
        opening_count=6,
    )
    client.force_login(make_user("anna"))
    assert "Flapping" in client.get("/alerts/").content.decode()
    text = client.get(f"/alerts/{group.pk}/").content.decode()
    assert "flapping: opened 6 times within an hour, quiet until" in text
    row = client.get("/alerts/").content.decode()
    assert f"/alerts/{group.pk}/acknowledge/" in row, "it can be taken all the same"


def test_a_flapping_group_is_looked_at_again_when_its_quiet_ends() -> None:
    group = AlertGroup(
        key="service:1", triggered_at=NOON, last_news_at=NOON, flapping_until=at(20), status="triggered"
    )
    figures = settle.Figures(members=1, pending_moves=1)
    assert settle._next_look(group, figures, now=NOON) == at(20)
