"""The pages: who may do what, what they say in words, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from console.accounts.models import Role, User
from console.fleet.models import Team
from console.oncall import hand_overs
from console.oncall.models import HandOffNote, Layer, Override, Rotation, SwapRequest
from tests.make_accounts import make_user
from tests.make_fleet import make_team
from tests.make_oncall import make_layer, make_override, make_rotation

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def rotation(alice: User) -> Rotation:
    """Alice alone, so that she is on call whenever the test runs."""
    return make_rotation(alice, slug="checkout", team=make_team(slug="shop", name="Shop"))


def sign_in(person: User | Role) -> Client:
    client = Client()
    client.force_login(person if isinstance(person, User) else make_user(role=person))
    return client


def text(answer: Any) -> str:
    return answer.content.decode()  # type: ignore[no-any-return]


def page(name: str, *args: object) -> str:
    return reverse(f"oncall:{name}", args=args)


def layer_form(*people: User, **fields: Any) -> dict[str, Any]:
    known = {
        "length": 1,
        "kind": "daily",
        "starts_on": "2026-03-09",
        "handover_at": "09:00",
        "do": "save",
        "seen": 0,
    }
    return known | {"person": [person.pk for person in people]} | fields


def test_the_list_without_rotations_says_that_nobody_is_on_call() -> None:
    viewer, manager = sign_in(Role.VIEWER), sign_in(Role.MANAGER)
    assert "Nobody is on call" in text(viewer.get("/schedules/"))
    assert "Make the first rotation" not in text(viewer.get("/schedules/"))
    assert "Make the first rotation" in text(manager.get("/schedules/"))


def test_the_list_says_who_who_is_next_what_is_uncovered_and_who_cannot_be_reached(alice: User) -> None:
    bob = make_user("bob")
    make_rotation(alice, bob, name="Checkout")
    make_rotation(name="Search")
    make_rotation(name="Office", is_round_the_clock=False)
    make_rotation(alice, name="Elsewhere", origin="drill")
    with override_settings(HAS_MAIL_SERVER=True):
        html = text(sign_in(alice).get("/schedules/"))
        assert all(
            words in html for words in ("Checkout", "Alice", "Bob", "Nobody is on call", "90 d 0 h uncovered")
        )
        assert "Nobody, outside its hours" in html
        assert "Elsewhere" not in html
        assert "cannot be reached" not in html
        User.objects.filter(pk=bob.pk).update(is_active=False)
        html = text(sign_in(alice).get("/schedules/"))
        assert "Bob cannot be reached" in html
    assert "Alice cannot be reached" in text(sign_in(alice).get("/schedules/"))  # no mail server is set up


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_costs_the_same_however_many_there_are(
    count: int, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        make_override(make_rotation(alice, make_user(), team=make_team()), make_user())
    client = sign_in(Role.VIEWER)
    with django_assert_max_num_queries(17):
        client.get("/schedules/")


def test_one_rotation_costs_the_same_however_much_happens_in_it(
    rotation: Rotation, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    for number in range(12):
        person, start = make_user(), now + number * HOUR
        make_layer(rotation, person, make_user())
        make_override(rotation, person, started_at=start, ended_at=start + HOUR, now=now)
        HandOffNote.objects.create(rotation=rotation, by=person, at=now, text="Note")
    client = sign_in(Role.MANAGER)
    with django_assert_max_num_queries(20):
        html = text(client.get(page("rotation_detail", "checkout")))
    assert html.count('class="week-bar"') > 40
    assert "Layer 13" in html


@pytest.mark.parametrize(
    ("name", "args", "role"),
    [
        ("rotation_new", [], Role.MANAGER),
        ("rotation_edit", ["checkout"], Role.MANAGER),
        ("rotation_archive", ["checkout"], Role.MANAGER),
        ("rotation_unarchive", ["checkout"], Role.MANAGER),
        ("layer_new", ["checkout"], Role.MANAGER),
        ("layer_edit", ["checkout", 1], Role.MANAGER),
        ("layer_remove", ["checkout", 1], Role.MANAGER),
        ("layer_raise", ["checkout", 1], Role.MANAGER),
        ("override_new", ["checkout"], Role.MANAGER),
        ("overrides_import", ["checkout"], Role.MANAGER),
        ("take_over", ["checkout"], Role.RESPONDER),
        ("swap_new", ["checkout"], Role.RESPONDER),
        ("note_leave", ["checkout"], Role.RESPONDER),
    ],
)
def test_each_act_is_for_its_role(rotation: Rotation, name: str, args: list[object], role: Role) -> None:
    below = list(Role)[list(Role).index(role) - 1]
    assert sign_in(below).post(page(name, *args)).status_code == 403
    assert sign_in(role).post(page(name, *args)).status_code in (200, 302, 422)


def test_a_viewer_reads_and_is_offered_nothing_to_do(rotation: Rotation) -> None:
    html = text(sign_in(Role.VIEWER).get(page("rotation_detail", "checkout")))
    assert "Alice" in html
    assert "Take over now" not in html
    assert "layers/new" not in html


def test_a_rotation_is_made_in_two_steps_and_put_on_show(alice: User) -> None:
    bob, team = make_user("bob"), make_team(slug="shop")
    manager = sign_in(Role.MANAGER)
    fields = {
        "name": "Shop, nights",
        "team": team.pk,
        "time_zone": "Europe/Berlin",
        "is_round_the_clock": "on",
    }
    assert manager.post(page("rotation_new"), fields | {"time_zone": "Berlin"}).status_code == 422
    answer = manager.post(page("rotation_new"), fields)
    assert answer["Location"] == page("layer_new", "shop-nights")
    edited = manager.post(answer["Location"], layer_form(alice, do="add"))
    assert text(edited).count('name="person"') == 2
    shown = text(manager.post(answer["Location"], layer_form(alice, bob, do="show", weekdays=["0", "1"])))
    assert shown.count("<b>Alice</b>") == 4
    assert not Layer.objects.exists()
    bad = manager.post(answer["Location"], layer_form(alice, hours_from="09:00"))
    assert (bad.status_code, "Give both hours, or neither." in text(bad)) == (422, True)
    assert manager.post(answer["Location"], layer_form()).status_code == 409
    manager.post(
        answer["Location"], layer_form(alice, bob, name="Nights", hours_from="22:00", hours_until="06:00")
    )
    html = text(manager.get(page("rotation_detail", "shop-nights")))
    assert "Daily, hand-over at 09:00 · 22:00 to 06:00" in html
    assert "uncovered in all" in html


def test_the_editor_rearranges_people_and_refuses_what_was_changed_meanwhile(
    rotation: Rotation, alice: User
) -> None:
    bob, manager, address = make_user("bob"), sign_in(Role.MANAGER), page("layer_edit", "checkout", 1)
    seen = rotation.layers.get().pk
    assert "selected>Alice" in text(manager.get(address))
    for press, order in (
        ("up-1", [bob, alice]),
        ("down-0", [bob, alice]),
        ("remove-0", [bob]),
        ("up-0", [alice, bob]),
    ):
        answer = manager.post(address, layer_form(alice, bob, do=press, seen=seen))
        assert answer.context["editor"].people == tuple(person.pk for person in order)
    manager.post(address, layer_form(alice, bob, seen=seen))
    late = manager.post(address, layer_form(bob, seen=seen))
    assert (late.status_code, "Somebody changed this layer" in text(late)) == (409, True)


def test_taking_over_is_one_click_with_its_undo(rotation: Rotation, alice: User) -> None:
    bob = make_user("bob")
    client = sign_in(bob)
    html = text(client.post(page("take_over", "checkout"), {"seen": alice.pk, "minutes": "60"}, follow=True))
    override = Override.objects.get()
    assert "You are on call for Checkout now." in html
    assert f'data-undo="{page("override_cancel", override.pk)}"' in html
    assert "Give it back" in html
    assert override.ended_at - override.started_at == HOUR
    stale = text(
        sign_in(make_user("charlie")).post(page("take_over", "checkout"), {"seen": alice.pk}, follow=True)
    )
    assert "Bob is on call since a moment ago" in stale
    assert sign_in(make_user("dora")).post(page("override_cancel", override.pk)).status_code == 403
    assert (
        client.post(page("override_cancel", override.pk), headers={"HX-Request": "true"}).status_code == 204
    )
    assert "Alice" in text(client.get(page("rotation_detail", "checkout")))
    assert not Override.objects.standing().exists()


def test_a_swap_is_asked_for_on_a_page_and_answered_by_whom_it_is_for(alice: User) -> None:
    bob = make_user("bob")
    make_rotation(alice, bob, slug="search", kind="daily")
    client = sign_in(alice)
    form = client.get(page("swap_new", "search")).context["form"]
    gives = form.fields["gives"].choices[0][0]
    takes = dict(form.fields["takes"].choices)["A shift of theirs"][0][0]
    assert client.post(page("swap_new", "search"), {"gives": gives, "takes": "1@x/y"}).status_code == 422
    client.post(page("swap_new", "search"), {"gives": gives, "takes": takes, "message": "Please"})
    swap = SwapRequest.objects.get()
    assert (swap.asked, swap.return_started_at is None) == (bob, False)
    assert "You are asked to swap" in text(sign_in(bob).get(page("my_shifts")))
    assert client.post(page("swap_answer", swap.pk, "accept")).status_code == 403
    assert sign_in(bob).post(page("swap_answer", swap.pk, "burn")).status_code == 404
    sign_in(bob).post(page("swap_answer", swap.pk, "accept"))
    assert Override.objects.filter(kind="swap").count() == 2


def test_an_override_on_a_page_is_in_the_readers_own_time(rotation: Rotation) -> None:
    bob, manager = make_user("bob"), sign_in(make_user(role=Role.MANAGER, time_zone="America/New_York"))
    day = (timezone.now() + 2 * DAY).date()
    fields = {"person": bob.pk, "started_at": f"{day}T09:00", "ended_at": f"{day}T10:00", "reason": "Dentist"}
    assert (
        manager.post(page("override_new", "checkout"), fields | {"ended_at": f"{day}T09:00"}).status_code
        == 422
    )
    manager.post(page("override_new", "checkout"), fields)
    override = Override.objects.get()
    assert override.started_at.hour in (13, 14)
    assert "Dentist" in text(manager.get(page("rotation_detail", "checkout")))


def test_my_shifts_lists_ones_own_turns_alone(rotation: Rotation, alice: User) -> None:
    make_rotation(make_user("bob"), name="Elsewhere")
    html = text(sign_in(alice).get(page("my_shifts")))
    assert "Checkout" in html
    assert "Elsewhere" not in html
    assert "No turn of yours" in text(sign_in(Role.RESPONDER).get(page("my_shifts")))


def test_the_load_is_a_table_and_a_csv(rotation: Rotation, alice: User) -> None:
    client = sign_in(Role.VIEWER)
    html = text(client.get(page("load_list"), {"team": "shop"}))
    assert "28 d 0 h" in html
    csv = b"".join(client.get(page("load_list"), {"format": "csv"})).decode()
    assert csv.splitlines()[1] == f"Alice,{alice.email},UTC,672.0,1.0,224.0,1,0,0"
    assert "Nobody was on call in this time" in text(
        client.get(page("load_list"), {"until": "2020-01-01", "since": "x"})
    )


def test_a_rotation_of_another_origin_says_so_and_its_sample_people_can_be_put_on_call() -> None:
    made_up = make_user("mara", origin="sample", is_active=False)
    rotation = make_rotation(made_up, slug="sample-shop", origin="sample")
    client = sign_in(make_user("bob"))
    assert "This is sample data" in text(client.get(page("rotation_detail", "sample-shop")))
    client.post(page("take_over", "sample-shop"), {"seen": made_up.pk})
    assert str(Override.objects.get(rotation=rotation).person) == "Bob"
    assert "Mara" not in text(sign_in(Role.ADMIN).get("/settings/"))


def test_a_team_with_a_rotation_is_not_deleted(rotation: Rotation) -> None:
    html = text(sign_in(Role.MANAGER).post("/services/teams/shop/delete/", follow=True))
    assert "Shop has a rotation" in html
    assert Team.objects.filter(slug="shop").exists()


def test_a_hand_over_is_announced_once_it_happened(alice: User) -> None:
    make_rotation(alice, make_user("bob"), kind="daily")
    at = timezone.now().replace(hour=8, minute=0, second=10) + 3 * DAY
    seen = [
        hand_overs.announce_hand_overs(now=at + minutes * timedelta(minutes=1)) for minutes in range(-61, 120)
    ]
    assert sum(seen) == 1


@pytest.mark.parametrize(
    "path", ["/schedules/brief/", "/schedules/mine/", "/schedules/fairness/", "/schedules/new/"]
)
def test_pages_of_their_own_are_no_rotations(path: str) -> None:
    make_rotation(slug="x", name="Brief")
    assert sign_in(Role.MANAGER).get(path).status_code == 200
    assert Rotation.objects.get().slug == "x"
