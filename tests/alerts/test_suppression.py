"""Planned quiet: what it hides, what it never hides, and that what still fires is told when it ends."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.models import AuditEntry, Role
from console.alerts import handling
from console.alerts.models import (
    AlertGroup,
    Severity,
    Suppression,
    SuppressionHit,
    SuppressionKind,
    SuppressionOccurrence,
)
from console.alerts.suppression import changing
from console.alerts.suppression.changing import NotPossible
from console.alerts.suppression.consulting import Consulted, consult
from console.alerts.suppression.draft import Refused
from console.alerts.suppression.scoping import BadScope, parse_scopes
from console.fleet.models import Service
from tests.make_accounts import make_user
from tests.make_fleet import make_machine, make_pool, make_service, make_team
from tests.make_reclaims import alert, make_reclaim, make_running, second
from tests.make_suppressions import by, falls_short, make_suppression, manager, turn, windows_of

pytestmark = pytest.mark.django_db
HOUR, DAY = 3600, 86_400


@pytest.fixture
def checkout() -> Service:
    return make_service(
        slug="checkout", name="Checkout", criticality="batch", team=make_team(slug="payments")
    )


def reclaim(service: Service, *, at: float = 0, **machine: Any) -> AlertGroup:
    """One machine of a service that is short of replicas is taken; its group, as it stands after that second."""
    falls_short(service, at=second(at))
    make_reclaim(make_machine(service=service, **machine), at=at)
    alert(at + 1)
    return group_of(service)


def group_of(service: Service) -> AlertGroup:
    return AlertGroup.objects.get(key=f"service:{service.pk}", status__in=["triggered", "acknowledged"])


def decisions(group: AlertGroup) -> list[str]:
    """What was decided, without the ids of changes."""
    rows = group.receipts.order_by("pk").values_list("trigger", "decision")
    return [
        f"{trigger.partition(':')[0]}: {'hidden' if decision == 'suppress' else 'told'}"
        for trigger, decision in rows
    ]


def answer(group: AlertGroup, seconds: float) -> Consulted:
    return consult([group], now=second(seconds))[group.pk]


def why(group: AlertGroup, seconds: float) -> str:
    (told,) = answer(group, seconds).consulted
    return str(told["why"])


def test_what_is_planned_is_hidden_while_it_lasts_and_told_when_it_ends_once(checkout: Service) -> None:
    suppression = make_suppression(minutes=10)
    turn(0)
    group = reclaim(checkout, at=60)
    assert group.is_suppressed(now=second(61))
    assert (group.suppressed_by, group.suppressed_until) == (suppression, second(600))
    receipt = group.receipts.get()
    assert receipt.reason.startswith("Maintenance “Upgrade of the cluster” by Alice until 11 Mar 12:10 UTC")
    assert receipt.suppressions[0]["why"] == "service:checkout covers it"
    for seconds in (599, 600, 601, 700):
        turn(seconds)
    group.refresh_from_db()
    assert (group.suppressed_by, group.suppressed_until) == (None, None)
    assert decisions(group) == ["change: hidden", "released: told"]
    hit = SuppressionHit.objects.get()
    assert (hit.occurrence.suppression, hit.group, hit.decision) == (suppression, group, "ticket")
    assert [e.kind for e in group.events.exclude(kind__in=("ticket", "severity")).order_by("pk")] == [
        "triggered", "suppressed", "released"]  # fmt: skip


def test_what_healed_meanwhile_is_not_told(checkout: Service) -> None:
    make_suppression(minutes=10)
    group = reclaim(checkout, at=60)
    handling.resolve(group.pk, by=manager("bob"), now=second(100), is_sure=True)
    turn(600)
    group.refresh_from_db()
    assert decisions(group) == ["change: hidden"]
    assert group.suppressed_by is None


def test_a_group_that_is_open_as_it_begins_gets_a_receipt_that_says_so(checkout: Service) -> None:
    group = reclaim(checkout, at=-300)
    other = reclaim(make_service(slug="search", criticality="batch"), at=-300)
    make_suppression(at=60, now=second(-10), minutes=10)
    turn(0)
    assert decisions(group) == ["change: told"], "it has not begun"
    for _ in range(2):
        turn(60)
    group.refresh_from_db()
    assert decisions(group) == ["change: told", "suppressed: hidden"]
    assert group.is_suppressed(now=second(61))
    assert decisions(other) == ["change: told"]


def test_half_open_it_hides_from_its_start_and_not_at_its_end(checkout: Service) -> None:
    make_suppression(at=60, now=second(0), minutes=10)
    group = reclaim(checkout, at=-60)
    hidden = [s for s in (59.999, 60, 659.999, 660) if answer(group, s).suppressed_by is not None]
    assert hidden == [60, 659.999]


def test_cancelling_lets_go_at_once_and_the_windows_to_come_do_not_come(checkout: Service) -> None:
    suppression = make_suppression(rrule="FREQ=DAILY", minutes=10)
    group = reclaim(checkout, at=60)
    for _ in range(2):
        changing.cancel(suppression.pk, by=manager("bob"), now=second(120))
    assert answer(group, 121).suppressed_by is None
    turn(121)
    assert decisions(group) == ["change: hidden", "released: told"]
    turn(DAY + 1)
    assert answer(group, DAY + 1).suppressed_by is None
    assert AuditEntry.objects.filter(action="suppression.cancel").count() == 1
    over = make_suppression(at=HOUR, minutes=1)
    turn(2 * HOUR)
    with pytest.raises(NotPossible, match="over already"):
        changing.cancel(over.pk, by=manager("bob"), now=second(2 * HOUR))


def test_one_window_may_end_early_or_be_skipped_and_the_others_stay(checkout: Service) -> None:
    suppression = make_suppression(rrule="FREQ=DAILY", minutes=10)
    now, tomorrow, later = suppression.occurrences.order_by("starts_at")[:3]
    group = reclaim(checkout, at=60)
    for window in (now, tomorrow, tomorrow):
        changing.end_window(suppression.pk, window.pk, by=manager("bob"), now=second(120))
    turn(121)
    assert decisions(group) == ["change: hidden", "released: told"]
    assert answer(group, DAY + 60).suppressed_by is None
    assert answer(group, 2 * DAY + 60).occurrence == later.pk
    actions = AuditEntry.objects.filter(action__endswith="_window").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "suppression.end_window",
        "suppression.skip_window",
    ]


def test_it_can_last_longer_until_the_next_one_or_what_its_kind_allows(checkout: Service) -> None:
    suppression = make_suppression(minutes=10)
    group = reclaim(checkout, at=60)
    changing.extend(suppression.pk, minutes=30, by=manager("bob"), now=second(500))
    turn(600)
    group.refresh_from_db()
    assert (group.suppressed_until, decisions(group)[1:]) == (second(2400), ["suppressed: hidden"])
    turn(2400)
    assert decisions(group)[-1] == "released: told"
    with pytest.raises(NotPossible, match="not in force"):
        changing.extend(suppression.pk, minutes=30, by=manager("bob"), now=second(2401))
    change = make_suppression(kind=SuppressionKind.CAPACITY_CHANGE, minutes=24 * 60)
    with pytest.raises(NotPossible, match="24 hours"):
        changing.extend(change.pk, minutes=1, by=manager("bob"), now=second(1))
    hourly = make_suppression(rrule="FREQ=HOURLY", minutes=30)
    with pytest.raises(NotPossible, match="next window"):
        changing.extend(hourly.pk, minutes=31, by=manager("bob"), now=second(1))


def test_while_two_overlap_the_later_end_counts_and_it_is_told_after_both(checkout: Service) -> None:
    make_suppression(minutes=20, name="First")
    make_suppression("team:payments", minutes=40, name="Second")
    turn(0)
    group = reclaim(checkout, at=60)
    assert group.suppressed_by is not None
    assert group.suppressed_by.name == "Second"
    turn(20 * 60)
    assert decisions(group) == ["change: hidden"]
    turn(40 * 60)
    assert decisions(group) == ["change: hidden", "released: told"]


SCOPES = [
    ("service:checkout", True),
    ("team:payments", True),
    ("pool:aws", True),
    ("pool:aws/eu-west-1/*/m7i.large", True),
    ("pool:*/*/eu-west-1a", True),
    ("label:env=staging", True),
    ("service:search", False),
    ("team:search", False),
    ("pool:aws/us-east-1", False),
    ("pool:*/*/*/c7g.large", False),
    ("label:env=prod", False),
]


@pytest.mark.parametrize(("scope", "covers"), SCOPES)
def test_a_scope_covers_the_machines_it_names(checkout: Service, scope: str, covers: bool) -> None:
    make_service(slug="search", team=make_team(slug="search"))
    make_suppression(scope)
    group = reclaim(checkout, at=60, tags={"env": "staging"})
    assert (answer(group, 61).suppressed_by is not None) is covers
    assert Suppression.objects.get().scopes.get().text == scope


def test_a_group_with_one_machine_outside_is_told(checkout: Service) -> None:
    make_suppression("pool:*/*/eu-west-1a")
    reclaim(checkout, at=60)
    group = reclaim(checkout, at=120, zone="eu-west-1b")
    assert why(group, 121) == "1 of its 2 machines lie outside what it covers"
    make_suppression("pool:*/*/eu-west-1a", "pool:*/*/eu-west-1b", at=130)
    assert answer(group, 131).suppressed_by is not None


@pytest.mark.parametrize(
    "text", ["", "checkout", "service:nowhere", "team:", "pool:*/*", "pool:a/b/c/d/e", "label:env"]
)
def test_a_scope_that_names_nothing_is_refused(checkout: Service, text: str) -> None:
    with pytest.raises(BadScope):
        parse_scopes([text], origin="live")


def test_origins_do_not_mix(checkout: Service) -> None:
    make_service(slug="checkout", origin="drill")
    make_suppression(origin="drill")
    assert answer(reclaim(checkout, at=60), 61) == Consulted()


def storm(service: Service, *, of: int, lost: int, at: float = 60) -> AlertGroup:
    """So many of a service's machines in one zone go at once: its wave."""
    for machine in make_running(make_pool(), of, service=service)[:lost]:
        make_reclaim(machine, at=at)
    alert(at + 1)
    return AlertGroup.objects.get(key__startswith="wave:")


def test_a_wave_above_the_share_of_a_service_is_never_hidden_unless_a_second_person_signs(
    checkout: Service,
) -> None:
    suppression = make_suppression(needs_signature=True, share=50)
    wave = storm(checkout, of=8, lost=5)
    assert why(wave, 62) == (
        "it takes 5 of 8 spot machines of a service, more than 50 %; that is never hidden unless a second person signs"
    )
    assert not wave.is_suppressed(now=second(62))
    with pytest.raises(NotPossible, match="second person"):
        changing.sign(suppression.pk, by=manager("alice"), now=second(70))
    with pytest.raises(NotPossible, match="manager"):
        changing.sign(suppression.pk, by=by(make_user("charlie")), now=second(70))
    for _ in range(2):
        changing.sign(suppression.pk, by=manager("bob"), now=second(70))
    turn(71)
    wave.refresh_from_db()
    assert wave.suppressed_by == suppression
    assert AuditEntry.objects.filter(action="suppression.sign").count() == 1


@pytest.mark.parametrize(
    ("of", "lost", "share", "is_hidden"),
    [(8, 4, 50, True), (8, 5, 50, False), (8, 5, 70, True), (3, 3, 99, False), (3, 3, 100, True)],
)
def test_the_share_is_a_setting_of_each(
    checkout: Service, of: int, lost: int, share: int, is_hidden: bool
) -> None:
    make_suppression(share=share)
    wave = storm(checkout, of=of, lost=lost)
    group = group_of(checkout)
    assert [answer(g, 62).suppressed_by is not None for g in (wave, group)] == [is_hidden] * 2


def test_without_inventory_ten_machines_of_a_service_are_too_many_to_hide(checkout: Service) -> None:
    make_suppression()
    for n in range(9):
        group = reclaim(checkout, at=60 + 400 * n)
    assert answer(group, 3300).suppressed_by is not None
    group = reclaim(checkout, at=60 + 400 * 8.9)
    assert "no inventory" in why(group, 3599)


def finding(key: str, **fields: Any) -> AlertGroup:
    told = {"title": key, "triggered_at": second(0), "last_news_at": second(0)} | fields
    return AlertGroup.objects.create(key=key, **told)


def test_a_critical_burn_rate_is_never_hidden_unless_signed_and_by_a_capacity_change_not_even_then(
    checkout: Service,
) -> None:
    burn = finding("burn:fast", service=checkout, severity=Severity.CRITICAL)
    slow = finding("burn:slow", service=checkout, severity=Severity.WARNING)
    maintenance = make_suppression(needs_signature=True)
    change = make_suppression(kind=SuppressionKind.CAPACITY_CHANGE, needs_signature=True, at=1)
    assert "never hidden" in str(answer(burn, 2).consulted[0]["why"])
    assert answer(slow, 2).suppressed_by == maintenance.pk
    changing.sign(change.pk, by=manager("bob"), now=second(3))
    assert answer(burn, 4).suppressed_by is None
    changing.sign(maintenance.pk, by=manager("bob"), now=second(5))
    assert answer(burn, 6).suppressed_by == maintenance.pk


@pytest.mark.parametrize(
    ("key", "is_muted"),
    [
        ("interruption_rate:checkout", True),
        ("slow_reschedule:checkout", True),
        ("cost_spike:checkout", True),
        ("observability_gap:checkout", False),
        ("burn:checkout", False),
    ],
)
def test_a_capacity_change_mutes_what_it_brings_about_and_nothing_else(
    checkout: Service, key: str, is_muted: bool
) -> None:
    make_suppression(kind=SuppressionKind.CAPACITY_CHANGE)
    group = finding(key, service=checkout)
    assert (answer(group, 1).suppressed_by is not None) is is_muted


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kind": SuppressionKind.CAPACITY_CHANGE, "minutes": 24 * 60 + 1}, "24 hours"),
    ({"minutes": 15 * 24 * 60}, "14 days"),
    ({"minutes": 0}, "end after it starts"),
    ({"reason": " "}, "Say why"),
    ({"starts_at": second(-HOUR), "minutes": 30}, "over already"),
    ({"starts_at": second(-HOUR), "minutes": 90}, "in the past"),
    ({"starts_at": second(400 * DAY)}, "a year ahead"),
    ({"rrule": "FREQ=DAILY", "minutes": 25 * 60}, "before the next one"),
    ({"share": 0}, "percentage"),
]


@pytest.mark.parametrize(("fields", "words"), REFUSED)
def test_what_makes_no_sense_is_refused_in_words(
    checkout: Service, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        make_suppression(**(fields | {"now": second(0)}))
    assert not Suppression.objects.exists()


def test_a_responder_may_suppress_from_now_on_for_four_hours_and_change_their_own(checkout: Service) -> None:
    alice, other = by(make_user("dora", role=Role.RESPONDER)), by(make_user("eve", role=Role.RESPONDER))
    mine = make_suppression(maker=alice, minutes=230)
    for fields in ({"minutes": 241}, {"rrule": "FREQ=DAILY"}, {"at": 60, "now": second(0)}):
        with pytest.raises(Refused, match="Responders"):
            make_suppression(maker=alice, **fields)
    with pytest.raises(NotPossible, match="4 hours"):
        changing.extend(mine.pk, minutes=30, by=alice, now=second(60))
    with pytest.raises(NotPossible, match="author or a manager"):
        changing.cancel(mine.pk, by=other, now=second(60))
    changing.cancel(mine.pk, by=alice, now=second(60))


def test_windows_are_written_five_weeks_ahead_and_again_each_day_without_a_double(checkout: Service) -> None:
    suppression = make_suppression(rrule="FREQ=DAILY")
    for day in (0, 0, 1, 1, 2.5):
        turn(day * DAY)
    written = windows_of(suppression)
    assert written == [(second(n * DAY), second(n * DAY + HOUR)) for n in range(38)]
    once = make_suppression(rrule="FREQ=DAILY;COUNT=3")
    assert (once.expand_at, once.occurrences.count()) == (None, 3)
    turn(80 * DAY)
    assert suppression.occurrences.filter(starts_at__lt=second(79 * DAY)).count() < 79, "none that nobody saw"
    assert suppression.occurrences.ahead(now=second(80 * DAY)).count() == 34


def test_a_thousand_groups_cost_as_many_statements_as_one(checkout: Service) -> None:
    make_suppression("service:checkout", "pool:aws/eu-west-1", "label:env=prod", minutes=60)
    groups = [finding(f"slow_reschedule:{n}", service=checkout) for n in range(300)]
    groups.append(reclaim(checkout, at=60))
    costs = []
    for some in (groups[-2:], groups):
        with CaptureQueriesContext(connection) as queries:
            answers = consult(some, now=second(70))
        costs.append(len(queries))
        assert all(one.suppressed_by is not None for one in answers.values())
    assert costs[0] == costs[1] <= 8
    SuppressionOccurrence.objects.update(released_at=second(71))
    with CaptureQueriesContext(connection) as queries:
        consult(groups, now=second(72))
    assert len(queries) == 1
