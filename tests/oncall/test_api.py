"""Schedules for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import AuditEntry, Scope, User
from console.oncall.models import Override, Rotation
from tests.make_accounts import make_token, make_user
from tests.make_fleet import make_team
from tests.make_oncall import make_rotation

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def rotation(alice: User) -> Rotation:
    return make_rotation(alice, make_user("bob"), slug="checkout", team=make_team(slug="shop"))


def program(*scopes: Scope, origin: str = "live") -> Client:
    _, secret = make_token(*scopes, origin=origin)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def items(answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]  # type: ignore[no-any-return]


def test_schedules_say_who_is_on_call_and_who_is_next(rotation: Rotation) -> None:
    make_rotation(slug="empty")
    make_rotation(slug="elsewhere", origin="sample")
    caller = program()
    found = {one["slug"]: one for one in items(caller.get("/api/v1/schedules"))}
    assert set(found) == {"checkout", "empty"}
    told = found["checkout"]
    assert {told["on_call"]["person"]["email"], told["next"]["person"]["email"]} == {
        "alice@example.com",
        "bob@example.com",
    }
    assert told["on_call"]["until"] == told["next"]["at"]
    assert (told["team"], told["uncovered_seconds"]) == ("shop", 0)
    assert (found["empty"]["on_call"], found["empty"]["uncovered_seconds"]) == (None, 90 * 86_400)
    assert [one["slug"] for one in items(caller.get("/api/v1/schedules?team=shop"))] == ["checkout"]
    assert caller.get("/api/v1/schedules/checkout").json()["on_call"] == told["on_call"]
    assert caller.get("/api/v1/schedules/elsewhere").status_code == 404
    csv = b"".join(caller.get("/api/v1/schedules?format=csv")).decode()
    assert csv.startswith(
        "slug,name,team,time_zone,is_round_the_clock,on_call,next,uncovered_seconds,archived_at"
    )


def test_shifts_of_a_window_tile_it(rotation: Rotation) -> None:
    window = "since=2026-03-11T12:00:00Z&until=2026-03-26"
    found = items(program().get(f"/api/v1/schedules/checkout/shifts?{window}"))
    assert [(one["person"]["name"], one["started_at"], one["ended_at"]) for one in found] == [
        ("Alice", "2026-03-11T12:00:00Z", "2026-03-16T08:00:00Z"),
        ("Bob", "2026-03-16T08:00:00Z", "2026-03-23T08:00:00Z"),
        ("Alice", "2026-03-23T08:00:00Z", "2026-03-26T00:00:00Z")]  # fmt: skip
    csv = b"".join(program().get(f"/api/v1/schedules/checkout/shifts?{window}&format=csv")).decode()
    assert csv.splitlines()[1] == (
        'Alice,alice@example.com,2026-03-11T12:00:00Z,2026-03-16T08:00:00Z,"Layer 1, week of Mon 9 Mar"'
    )
    too_long = program().get("/api/v1/schedules/checkout/shifts?since=2026-01-01&until=2028-01-01")
    assert too_long.status_code == 422


def test_a_program_with_the_scope_puts_people_on_call_and_takes_it_back(
    rotation: Rotation, alice: User
) -> None:
    path, now = "/api/v1/schedules/checkout/overrides", timezone.now()
    body = {
        "person": "bob@example.com",
        "started_at": (now + DAY).isoformat(),
        "ended_at": (now + 2 * DAY).isoformat(),
    }
    json: dict[str, Any] = {"content_type": "application/json"}
    assert program().post(path, body, **json).status_code == 403
    caller = program(Scope.READ, Scope.MANAGE)
    first, again = caller.post(path, body, **json), caller.post(path, body, **json)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    (listed,) = items(caller.get(path))
    assert (listed["person"], listed["kind"], listed["cancelled_at"]) == ("bob@example.com", "override", None)
    for wrong in (
        {"person": "zoe@example.com"},
        {"ended_at": now.isoformat()},
        {"replaced": "bob@example.com"},
        {"x": 1},
    ):
        assert caller.post(path, body | wrong, **json).status_code == 422
    for _ in range(2):
        assert caller.delete(f"{path}/{listed['id']}").json()["cancelled_at"]
    assert items(caller.get(f"{path}?cancelled=false")) == []
    assert caller.delete(f"{path}/999999").status_code == 404
    assert Override.objects.get().who.startswith("program-")
    assert list(AuditEntry.objects.filter(action__startswith="override").order_by("pk").values_list("action", "actor_kind")) == [
        ("override.create", "token"), ("override.cancel", "token")]  # fmt: skip


def test_the_load_is_told_by_person(rotation: Rotation) -> None:
    window = "since=2026-03-11T12:00:00Z&until=2026-03-18T12:00:00Z"
    found = items(program().get(f"/api/v1/on-call-load?{window}"))
    assert {one["name"]: one["on_call_seconds"] / 3600 for one in found} == {"Alice": 116, "Bob": 52}
    csv = b"".join(program().get(f"/api/v1/on-call-load?{window}&format=csv&team=shop")).decode()
    assert csv.startswith("name,email,time_zone,on_call_seconds,night_seconds,share,shifts,pages,night_pages")
