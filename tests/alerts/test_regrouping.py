"""Groups arranged by hand: safe, with a way back, and with a trace on both sides. Correlation respects it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry, Role
from console.alerts import correlate
from console.alerts.handling import By, NotPossible, reopen, resolve
from console.alerts.models import AlertGroup, GroupMember, Regrouping
from console.alerts.regrouping import acts
from console.alerts.regrouping.taking_back import take_back
from console.fleet.models import Machine, Service, WorkloadStatus
from console.interruptions.models import Interruption
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_machine, make_service
from tests.make_reclaims import alert, make_reclaim, second, tell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root() -> None:
    make_user("root", role=Role.ADMIN)


@pytest.fixture
def anna() -> By:
    return By(user=make_user("anna"), actor=Actor.console("tests"))


@pytest.fixture
def checkout() -> Service:
    return make_service(slug="checkout", name="Checkout")


@pytest.fixture
def search() -> Service:
    return make_service(slug="search", name="Search", criticality="user_facing")


def lose(service: Service, count: int = 1, *, at: float = 0) -> list[Interruption]:
    reclaims = [make_reclaim(make_machine(service=service), at=at) for _ in range(count)]
    alert(at + 5)
    return reclaims


def group_of(service: Service) -> AlertGroup:
    return AlertGroup.objects.open().get(key=f"service:{service.pk}")


def members(group: AlertGroup) -> set[int]:
    return set(group.members.values_list("interruption", flat=True))


def pks(*reclaims: Interruption) -> set[int]:
    return {one.pk for one in reclaims}


def said(group: AlertGroup) -> str:
    return group.events.filter(kind="regrouped").latest("pk").text


def test_a_merged_group_closes_and_its_machines_are_in_the_other(
    checkout: Service, search: Service, anna: By
) -> None:
    mine, theirs = lose(checkout, 2), lose(search, 3, at=10)
    source, target = group_of(search), group_of(checkout)

    acts.merge(source.pk, target.pk, reason="one zone\n went", by=anna, now=second(60))

    source.refresh_from_db()
    target.refresh_from_db()
    assert (source.status, source.resolution, source.merged_into) == ("resolved", "merged", target)
    assert members(source) == set()
    assert members(target) == pks(*mine, *theirs)
    assert (target.member_count, target.running_out_count) == (5, 5)
    assert "Search" in target.impact
    assert "Checkout" in target.impact
    assert said(source) == f"Merged into #{target.pk} Reclaims of Checkout: one zone went"
    assert said(target) == f"3 machines of #{source.pk} Reclaims of Search merged in: one zone went"
    assert AuditEntry.objects.filter(action="alert_group.merge").count() == 2
    why = GroupMember.objects.get(group=target, interruption=theirs[0]).reason
    assert why == f"Came with #{source.pk}, merged by Anna at 11 Mar 12:01 UTC: one zone went"


def test_what_comes_later_for_a_merged_key_joins_the_other_and_stays(
    checkout: Service, search: Service, anna: By
) -> None:
    lose(checkout)
    lose(search)
    source, target = group_of(search), group_of(checkout)
    acts.merge(source.pk, target.pk, reason="", by=anna, now=second(60))

    (late,) = lose(search, at=90)
    tell(late, state="draining")
    alert(100)

    assert AlertGroup.objects.open().get() == target
    place = GroupMember.objects.get(interruption=late)
    assert place.group == target
    assert (
        place.reason == f"Reclaim of a machine of Search, whose group #{source.pk} was merged into this one"
    )


def test_once_the_other_is_closed_a_key_opens_its_own_group_again(
    checkout: Service, search: Service, anna: By
) -> None:
    lose(checkout)
    lose(search)
    source, target = group_of(search), group_of(checkout)
    acts.merge(source.pk, target.pk, reason="", by=anna, now=second(60))
    resolve(target.pk, by=anna, now=second(70), is_sure=True)

    (late,) = lose(search, at=90)

    assert GroupMember.objects.get(interruption=late).group == group_of(search)


def test_a_merge_taken_back_leaves_both_as_they_were_and_takes_along_what_came_since(
    checkout: Service, search: Service, anna: By
) -> None:
    mine, theirs = lose(checkout, 2), lose(search, 2)
    source, target = group_of(search), group_of(checkout)
    before = set(source.members.values_list("interruption", "reason"))
    act = acts.merge(source.pk, target.pk, reason="", by=anna, now=second(60))
    (late,) = lose(search, at=90)

    take_back(act.pk, by=anna, now=second(120))

    source.refresh_from_db()
    target.refresh_from_db()
    assert (source.status, source.resolution, source.merged_into) == ("triggered", "", None)
    assert members(source) == pks(*theirs, late)
    assert members(target) == pks(*mine)
    assert (source.member_count, target.member_count) == (3, 2)
    assert before <= set(source.members.values_list("interruption", "reason"))
    assert set(source.members.values_list("placed_by", flat=True)) == {None}
    assert "Search" not in target.impact
    assert take_back(act.pk, by=anna, now=second(130)).taken_back_at == second(120), "twice is harmless"

    (later,) = lose(search, at=140)
    assert GroupMember.objects.get(interruption=later).group == source


def test_merges_in_a_row_lead_to_the_last_and_are_taken_back_in_reverse(
    checkout: Service, search: Service, anna: By
) -> None:
    video = make_service(slug="video", name="Video")
    reclaims = {service: lose(service)[0] for service in (checkout, search, video)}
    a, b, c = (group_of(service) for service in (search, checkout, video))
    first = acts.merge(a.pk, b.pk, reason="", by=anna, now=second(60))
    second_act = acts.merge(b.pk, c.pk, reason="", by=anna, now=second(70))
    (late,) = lose(search, at=80)
    assert members(c) == pks(*reclaims.values(), late)

    with pytest.raises(NotPossible, match=rf"#{b.pk} was merged into #{c.pk} since. Take that back first."):
        take_back(first.pk, by=anna, now=second(90))
    take_back(second_act.pk, by=anna, now=second(100))

    assert members(c) == pks(reclaims[video])
    assert members(b) == pks(reclaims[checkout], reclaims[search], late)
    take_back(first.pk, by=anna, now=second(110))
    assert members(b) == pks(reclaims[checkout])
    assert members(a) == pks(reclaims[search], late)


def test_moved_machines_stay_whatever_they_are_attributed_to(
    checkout: Service, search: Service, anna: By
) -> None:
    (mine,) = lose(checkout)
    one, two = lose(search, 2)
    source, target = group_of(search), group_of(checkout)

    act = acts.move_members(source.pk, target.pk, [two.pk], reason="its pods", by=anna, now=second(60))
    video = make_service(slug="video")
    Machine.objects.filter(pk=two.machine_id).update(service=video)
    tell(two, service=video)
    alert(90)

    assert members(source) == pks(one)
    assert members(target) == pks(mine, two)
    assert not AlertGroup.objects.filter(service=video).exists()
    assert [group.is_open for group in (source, target)] == [True, True]

    take_back(act.pk, by=anna, now=second(100))
    assert members(source) == pks(one, two)
    tell(two)
    alert(110)
    assert members(source) == pks(one), "nobody holds it any more, so it goes where it belongs"
    assert members(group_of(video)) == pks(two)


def test_a_split_is_a_group_of_its_own_and_ends_when_it_is_taken_back(search: Service, anna: By) -> None:
    one, two, three = lose(search, 3)
    source = group_of(search)

    act = acts.split(source.pk, [two.pk, three.pk], title=" Zone b ", reason="", by=anna, now=second(60))

    target = act.target
    target.refresh_from_db()
    assert (target.title, target.status, target.service) == ("Zone b", "triggered", search)
    assert (members(source), members(target)) == (pks(one), pks(two, three))
    assert target.receipts.exists(), "it is decided on by itself"
    (late,) = lose(search, at=90)
    assert members(source) == pks(one, late)

    take_back(act.pk, by=anna, now=second(100))
    target.refresh_from_db()
    assert (target.resolution, target.merged_into) == ("merged", source)
    assert members(source) == pks(one, two, three, late)


@pytest.fixture
def wave(search: Service) -> AlertGroup:
    """Of machines whose own groups stand elsewhere, and taken by somebody."""
    wave = AlertGroup.objects.create(
        key="wave:aws/us-east-1/us-east-1c",
        title="Wave",
        triggered_at=NOON,
        last_news_at=NOON,
        status="acknowledged",
        acknowledged_at=NOON,
    )
    GroupMember.objects.create(group=wave, interruption=lose(search)[0], joined_at=NOON)
    return wave


def test_a_group_put_under_a_wave_is_taken_as_the_wave_is(
    checkout: Service, wave: AlertGroup, anna: By
) -> None:
    lose(checkout)
    group = group_of(checkout)

    act = acts.attach(group.pk, wave.pk, reason="", by=anna, now=second(60))

    group.refresh_from_db()
    assert (group.parent, group.status) == (wave, "acknowledged")
    assert said(group) == f"Put under the wave #{wave.pk} Wave"
    assert acts.attach(group.pk, wave.pk, reason="", by=anna, now=second(61)) == act, "twice is harmless"
    assert Regrouping.objects.count() == 1

    take_back(act.pk, by=anna, now=second(70))
    group.refresh_from_db()
    assert (group.parent, group.status) == (None, "triggered"), "what came with the wave goes with it"


def test_what_was_taken_out_from_under_a_wave_is_not_put_back_there(
    checkout: Service, wave: AlertGroup, anna: By
) -> None:
    lose(checkout)
    group = group_of(checkout)
    AlertGroup.objects.filter(pk=group.pk).update(parent=wave)

    act = acts.detach(group.pk, reason="", by=anna, now=second(60))

    group.refresh_from_db()
    assert (group.parent, group.kept_apart_from) == (None, wave)
    assert acts.detach(group.pk, reason="", by=anna, now=second(61)) == act, "twice is harmless"
    take_back(act.pk, by=anna, now=second(70))
    group.refresh_from_db()
    assert (group.parent, group.kept_apart_from) == (wave, None)
    with pytest.raises(NotPossible, match="already"):
        acts.attach(group.pk, wave.pk, reason="", by=anna, now=second(75))
    with pytest.raises(NotPossible, match="no wave"):
        acts.detach(wave.pk, reason="", by=anna, now=second(80))


def finding(**fields: object) -> AlertGroup:
    known = {"key": "feed_silent:a", "title": "Silent", "triggered_at": NOON, "last_news_at": NOON}
    return AlertGroup.objects.create(**(known | fields))


REFUSED: dict[str, tuple[Callable[[AlertGroup, AlertGroup], AlertGroup], str]] = {
    "itself": (lambda one, other: one, "another group than this one"),
    "another origin": (lambda one, other: finding(origin="sample", key="service:0"), "never mix"),
    "a wave": (lambda one, other: finding(key="wave:aws/r/z"), "is a wave"),
    "a finding": (lambda one, other: finding(), "is a finding and has no machines"),
    "a closed one": (
        lambda one, other: finding(key="service:0", status="resolved", resolved_at=NOON),
        "is resolved. Re-open it first",
    ),
    "one that was merged": (
        lambda one, other: finding(key="service:0", status="resolved", resolved_at=NOON, merged_into=other),
        "was merged into",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_with_what_to_do(
    case: str, checkout: Service, search: Service, anna: By
) -> None:
    lose(checkout)
    (one, *_) = lose(search, 2)
    source = group_of(search)
    make_target, text = REFUSED[case]
    target = make_target(source, group_of(checkout))

    with pytest.raises(NotPossible, match=text):
        acts.merge(source.pk, target.pk, reason="", by=anna, now=second(60))
    with pytest.raises(NotPossible, match=text):
        acts.move_members(source.pk, target.pk, [one.pk], reason="", by=anna, now=second(60))
    assert not Regrouping.objects.exists()


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (lambda mine, other: [], "Choose some machines"),
        (lambda mine, other: [other], "None of these machines"),
        (lambda mine, other: mine, "These are all machines"),
    ],
)
def test_a_split_needs_some_machines_and_not_all(
    chosen: Callable[[list[int], int], list[int]], text: str, checkout: Service, search: Service, anna: By
) -> None:
    (other,) = lose(checkout)
    mine = [one.pk for one in lose(search, 2)]
    with pytest.raises(NotPossible, match=text):
        acts.split(group_of(search).pk, chosen(mine, other.pk), reason="", by=anna, now=second(60))


def test_a_merged_group_cannot_be_opened_behind_the_other_ones_back(
    checkout: Service, search: Service, anna: By
) -> None:
    lose(checkout)
    lose(search)
    source, target = group_of(search), group_of(checkout)
    first = acts.merge(source.pk, target.pk, reason="", by=anna, now=second(60))
    assert acts.merge(source.pk, target.pk, reason="", by=anna, now=second(61)) == first, "twice is harmless"
    with pytest.raises(NotPossible, match=f"Its machines are in #{target.pk}"):
        reopen(source.pk, by=anna, now=second(62))


def test_a_guest_below_its_need_makes_the_group_critical(
    checkout: Service, search: Service, anna: By
) -> None:
    lose(checkout)
    lose(search)
    WorkloadStatus.objects.create(
        service=search, cluster="c", namespace="n", workload="w", at=NOON, wanted=4, ready=1, needed=3
    )
    source, target = group_of(search), group_of(checkout)
    acts.merge(source.pk, target.pk, reason="", by=anna, now=second(60))
    target.refresh_from_db()
    assert target.severity == "critical"
    assert target.below_need_since == second(60)
    assert target.impact.startswith("Search: 1 of 4 replicas, needs 3, and Checkout")
    assert target.receipts.latest("pk").decision == "page"


def test_a_guests_cascade_makes_the_group_as_bad_until_it_is_taken_back(
    checkout: Service, search: Service, anna: By
) -> None:
    lose(checkout)
    lose(search)
    source, target = group_of(checkout), group_of(search)
    AlertGroup.objects.filter(pk=source.pk).update(cascaded_at=second(30))
    act = acts.merge(source.pk, target.pk, reason="", by=anna, now=second(60))
    target.refresh_from_db()
    assert (target.cascaded_at, target.severity) == (second(30), "error")
    take_back(act.pk, by=anna, now=second(70))
    target.refresh_from_db()
    assert target.cascaded_at is None


@pytest.mark.django_db(transaction=True)
def test_a_machine_moved_by_hand_while_it_is_attributed_elsewhere_is_in_one_group(
    checkout: Service, search: Service, anna: By, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading where it is and locking that, somebody puts it somewhere: there it stays."""
    one, two = lose(checkout, 2)
    (three,) = lose(search)
    source, target = group_of(checkout), group_of(search)
    shop = make_service(slug="shop", name="Shop")
    Interruption.objects.filter(pk=one.pk).update(service=shop)
    tell(one)
    locked: list[int] = []

    def lock_late(*asked: Any) -> Any:
        if not locked:
            locked.append(1)
            thread = threading.Thread(target=_move, args=(source, target, one, anna))
            thread.start()
            thread.join(20)
        return really(*asked)

    really = correlate._lock
    monkeypatch.setattr(correlate, "_lock", lock_late)
    alert(60)
    assert locked, "it was tried"
    homes = GroupMember.objects.filter(interruption=one).values_list("group", flat=True)
    assert list(homes) == [target.pk]
    assert members(source) == pks(two)
    assert not AlertGroup.objects.filter(service=shop).exists(), "nothing was opened for nothing"
    assert three.pk in members(target)


def _move(source: AlertGroup, target: AlertGroup, one: Interruption, anna: By) -> None:
    try:
        acts.move_members(source.pk, target.pk, [one.pk], reason="", by=anna, now=second(50))
    finally:
        connections.close_all()
