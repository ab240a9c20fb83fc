"""What people do with a schedule: layers, overrides, taking over, swaps, notes. Everything is noted, twice is harmless."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry, User
from console.notifications.models import Notification
from console.oncall import editing, layering, overriding, swapping
from console.oncall.layering import EditedMeanwhile, LayerOrder
from console.oncall.layering import NotPossible as LayerNotPossible
from console.oncall.models import Layer, Override, Rotation, SwapState
from console.oncall.noting import NothingSaid, leave_note
from console.oncall.overriding import NotPossible
from console.oncall.schedule import on_call_at, shifts
from console.oncall.swapping import Stretch, SwapOrder
from tests.make_accounts import make_user
from tests.make_fleet import NOON
from tests.make_oncall import BY, LONG_AGO, make_layer, make_override, make_rotation
from tests.oncall.make_plans import BERLIN

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def rotation(alice: User, bob: User) -> Rotation:
    """On NOON, Wednesday 11 March 2026, in week 14 since 1 December: alice until Monday, then bob."""
    return make_rotation(alice, bob, slug="checkout")


def on_call(rotation: Rotation, at: datetime) -> User | None:
    found = on_call_at([rotation.pk], at=at)[rotation.pk]
    return User.objects.get(pk=found[0].person_id) if found else None


def told(rotation: Rotation, *, until: datetime) -> list[tuple[int, datetime, datetime, str]]:
    found = shifts([rotation.pk], since=LONG_AGO, until=until)[rotation.pk]
    return [(shift.person_id, shift.started_at, shift.ended_at, shift.why) for shift in found]


def daily(*people: User, starts_on: date = date(2026, 3, 9)) -> LayerOrder:
    return LayerOrder("daily", tuple(person.pk for person in people), starts_on, time(9))


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_the_contract_says_who_since_when_until_when_and_why(rotation: Rotation, alice: User) -> None:
    (turn,) = on_call_at([rotation.pk], at=NOON)[rotation.pk]
    assert (turn.rotation_id, turn.person_id, turn.why) == (
        rotation.pk,
        alice.pk,
        "Layer 1, week of Mon 9 Mar",
    )
    assert (turn.since, turn.until) == (NOON.replace(day=9, hour=8), NOON.replace(day=16, hour=8))
    assert on_call_at([rotation.pk, 987_654], at=NOON)[987_654] == []


def test_a_thousand_rotations_cost_two_queries(alice: User, bob: User, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    rows = Rotation.objects.bulk_create(Rotation(slug=f"r-{n}", name=f"R {n}") for n in range(200))
    layers = Layer.objects.bulk_create(
        Layer(rotation=row, position=1, kind="weekly", time_zone="UTC", starts_on=date(2026, 1, 5),
              handover_at=time(9), valid_from=LONG_AGO) for row in rows)  # fmt: skip
    for place, person in enumerate((alice, bob), 1):
        layering.LayerMember.objects.bulk_create(
            layering.LayerMember(layer=layer, person=person, position=place) for layer in layers
        )
    with django_assert_num_queries(2):
        found = on_call_at([row.pk for row in rows], at=NOON)
    assert all(len(turns) == 1 for turns in found.values())
    with django_assert_num_queries(0):
        assert on_call_at([], at=NOON) == {}


def test_a_changed_layer_holds_from_now_on_and_the_past_stays(
    rotation: Rotation, alice: User, bob: User
) -> None:
    charlie = make_user("charlie")
    before = told(rotation, until=NOON)
    layering.change_layer(rotation.layers.get(), daily(charlie), by=BY, now=NOON)
    assert told(rotation, until=NOON) == before
    assert on_call(rotation, NOON) == charlie
    assert actions()[-1] == "layer.change"
    layering.change_layer(Layer.objects.latest("pk"), daily(charlie), by=BY, now=NOON + HOUR)
    assert (Layer.objects.count(), actions().count("layer.change")) == (2, 1)  # nothing differed


def test_a_layer_that_begins_later_leaves_the_one_before_in_force_until_then(
    rotation: Rotation, alice: User, bob: User
) -> None:
    charlie = make_user("charlie")
    for day, person in ((20, charlie), (18, bob)):  # planned, then planned anew
        seen = Layer.objects.latest("valid_from")
        layering.change_layer(seen, daily(person, starts_on=date(2026, 3, day)), by=BY, now=NOON)
    assert on_call(rotation, NOON + DAY) == alice
    assert on_call(rotation, NOON.replace(day=18, hour=7)) == bob  # his week, and still the old layer
    assert on_call(rotation, NOON.replace(day=25)) == bob
    assert Layer.objects.count() == 2
    with pytest.raises(EditedMeanwhile):
        layering.change_layer(Layer.objects.earliest("valid_from"), daily(alice), by=BY, now=NOON)


def test_the_database_refuses_two_versions_of_a_layer_at_once(rotation: Rotation) -> None:
    layer = rotation.layers.get()
    layer.pk, layer.valid_from = None, NOON
    with pytest.raises(IntegrityError, match="one_version_at_a_time"), transaction.atomic():
        layer.save(force_insert=True)


def test_layers_are_raised_removed_and_renewed_in_another_zone(
    rotation: Rotation, alice: User, bob: User
) -> None:
    charlie = make_user("charlie")
    make_layer(rotation, charlie, hours_from=time(11), hours_until=time(14), now=NOON - DAY)
    assert on_call(rotation, NOON) == charlie  # 13:00 in Berlin
    order = editing.RotationOrder("Checkout", "America/New_York")
    editing.change(rotation, order, by=BY, now=NOON)
    assert on_call(rotation, NOON + HOUR) == alice  # 09:00 in New York
    assert on_call(rotation, NOON - HOUR) == charlie  # and the past stays
    layering.raise_layer(rotation, 1, by=BY, now=NOON)
    assert on_call(rotation, NOON.replace(hour=16)) == alice
    with pytest.raises(LayerNotPossible):
        layering.raise_layer(rotation, 2, by=BY, now=NOON)
    layering.remove_layer(rotation, 2, by=BY, now=NOON + HOUR)
    assert on_call(rotation, NOON.replace(hour=16)) == charlie
    assert on_call(rotation, NOON.replace(hour=23)) is None
    assert actions()[-3:] == ["rotation.change", "layer.raise", "layer.remove"]


def test_an_archived_rotation_has_nobody_and_comes_back_as_it_was(
    rotation: Rotation, alice: User, bob: User
) -> None:
    override = make_override(rotation, bob, started_at=NOON, ended_at=NOON + 5 * DAY)
    editing.archive(rotation, by=BY, now=NOON + HOUR)
    assert on_call(rotation, NOON + 2 * HOUR) is None
    assert on_call(rotation, NOON) == bob
    override.refresh_from_db()
    assert override.ended_at == NOON + HOUR
    for act in (overriding.lock, lambda each: editing.archive(each, by=BY, now=NOON)):
        with pytest.raises((NotPossible, editing.CannotArchive)):
            act(rotation)
    editing.unarchive(rotation, by=BY, now=NOON + DAY)
    assert on_call(rotation, NOON + DAY) == alice
    assert on_call(rotation, NOON + 2 * HOUR) is None


def test_an_override_twice_is_one_and_tells_whom_it_puts_on_call(rotation: Rotation, bob: User) -> None:
    make_override(rotation, bob, reason="Dentist")
    make_override(rotation, bob, reason="Dentist", now=NOON + HOUR)  # the same order, an hour later
    assert Override.objects.count() == 1
    told = Notification.objects.get()
    assert (told.person, told.kind, told.path) == (bob, "update", "/schedules/checkout/")
    assert "Wed 11 Mar 12:00 to Wed 11 Mar 14:00 UTC. Reason: Dentist." in told.text
    (turn,) = on_call_at([rotation.pk], at=NOON)[rotation.pk]
    assert turn.why == "Override by tests: Dentist"
    assert actions().count("override.create") == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ended_at": NOON - HOUR}, "end after it begins"),
        ({"started_at": NOON - 3 * HOUR, "ended_at": NOON - HOUR}, "in the past"),
        ({"ended_at": NOON + 400 * DAY}, "at most a year"),
    ],
)
def test_an_override_that_cannot_be_says_why(
    rotation: Rotation, bob: User, fields: dict[str, datetime], words: str
) -> None:
    with pytest.raises(NotPossible, match=words):
        make_override(rotation, bob, **fields)
    assert not Override.objects.exists()


def test_nobody_without_an_open_account_of_a_responder_is_put_on_call(rotation: Rotation) -> None:
    for person in (make_user(role="viewer"), make_user(is_active=False)):
        with pytest.raises(NotPossible, match="open account"):
            make_override(rotation, person)


def test_taking_over_lasts_until_the_hand_over_and_can_be_taken_back(
    rotation: Rotation, alice: User, bob: User
) -> None:
    by = Actor.person(bob)
    made = overriding.take_over(rotation, bob, seen=alice.pk, lasts=None, by=by, now=NOON)
    assert made
    assert made.ended_at == NOON.replace(day=16, hour=8)
    assert on_call(rotation, NOON + HOUR) == bob
    assert overriding.take_over(rotation, bob, seen=alice.pk, lasts=None, by=by, now=NOON) is None
    assert Notification.objects.get(person=alice).title == "Bob took over Checkout from you"
    overriding.cancel(made, by=by, now=NOON + timedelta(seconds=9))
    assert on_call(rotation, NOON + HOUR) == alice
    overriding.restore(made, by=by, now=NOON + timedelta(seconds=12))
    overriding.cancel(made, by=by, now=NOON + 2 * HOUR)  # given back later: what was, stays
    assert (on_call(rotation, NOON + HOUR), on_call(rotation, NOON + 2 * HOUR)) == (bob, alice)
    with pytest.raises(NotPossible, match="since a moment ago"):
        overriding.take_over(rotation, bob, seen=None, lasts=HOUR, by=by, now=NOON + 3 * HOUR)


def test_somebody_takes_over_a_gap_and_a_turn_without_an_end_for_twelve_hours(bob: User, alice: User) -> None:
    empty, alone = make_rotation(), make_rotation(alice)
    for rotation, seen in ((empty, None), (alone, alice.pk)):
        made = overriding.take_over(rotation, bob, seen=seen, lasts=None, by=BY, now=NOON)
        assert made
        assert made.ended_at == NOON + 12 * HOUR


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_over_at_once_the_second_hears_of_the_first() -> None:
    alice, bob, charlie = make_user("alice"), make_user("bob"), make_user("charlie")
    rotation = make_rotation(alice)
    refused: list[str] = []

    def press(person: User) -> None:
        try:
            overriding.take_over(
                rotation, person, seen=alice.pk, lasts=HOUR, by=Actor.person(person), now=NOON
            )
        except NotPossible as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(person,)) for person in (bob, charlie)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Override.objects.count() == 1
    assert refused == [
        f"{Override.objects.get().person} is on call since a moment ago. Look again before you take over."
    ]


def week_of(day: int) -> Stretch:
    """The turn that begins on this Monday of March at nine in Berlin."""
    start = datetime(2026, 3, day, 9, tzinfo=BERLIN)
    return Stretch(start.astimezone(UTC), (start + 7 * DAY).astimezone(UTC))


def test_a_swap_changes_nothing_until_it_is_accepted_and_then_both_weeks(
    rotation: Rotation, alice: User, bob: User
) -> None:
    """Bob's week from the 16th for Alice's from the 23rd, which ends in summer time."""
    order = SwapOrder(bob, alice, week_of(16), week_of(23), "Wedding")
    swap = swapping.ask(rotation, order, by=Actor.person(bob), now=NOON)
    assert on_call(rotation, NOON.replace(day=17)) == bob
    with pytest.raises(NotPossible, match="already"):
        swapping.ask(rotation, order, by=Actor.person(bob), now=NOON)
    for _ in range(2):
        swapping.accept(swap, by=Actor.person(alice), now=NOON + HOUR)
    assert [on_call(rotation, NOON.replace(day=day)) for day in (12, 17, 24, 31)] == [alice, alice, bob, bob]
    assert Override.objects.filter(kind="swap").count() == 2
    assert set(Notification.objects.values_list("key", "person__name")) == {
        (f"swap:{swap.pk}:asks", "Alice"), (f"swap:{swap.pk}:accepted", "Bob")}  # fmt: skip
    with pytest.raises(NotPossible, match="accepted already"):
        swapping.decline(swap, by=Actor.person(alice), now=NOON + HOUR)


def test_a_swap_of_a_schedule_that_changed_since_is_refused(
    rotation: Rotation, alice: User, bob: User
) -> None:
    swap = swapping.ask(rotation, SwapOrder(bob, alice, week_of(16)), by=Actor.person(bob), now=NOON)
    make_override(rotation, alice, started_at=NOON.replace(day=18), ended_at=NOON.replace(day=19))
    with pytest.raises(NotPossible, match="any more"):
        swapping.accept(swap, by=Actor.person(alice), now=NOON)
    assert not Override.objects.filter(kind="swap").exists()
    declined = swapping.decline(swap, by=Actor.person(alice), now=NOON)
    assert declined.state == SwapState.DECLINED
    late = swapping.ask(rotation, SwapOrder(bob, alice, week_of(30)), by=BY, now=NOON)
    with pytest.raises(NotPossible, match="has begun"):
        swapping.accept(late, by=Actor.person(alice), now=NOON.replace(day=30))


def test_a_note_needs_words_and_stays(rotation: Rotation, alice: User) -> None:
    note = leave_note(rotation, " Stock dips are harmless. ", by=Actor.person(alice), now=NOON)
    assert (note.text, note.who) == ("Stock dips are harmless.", "Alice")
    for text in ("  ", "x" * 4_001, "\0"):
        with pytest.raises(NothingSaid):
            leave_note(rotation, text, by=BY, now=NOON)
