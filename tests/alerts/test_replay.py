"""The replay lab: drafts over the past, by the code that decides live."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.accounts.audit import Actor
from console.accounts.models import Role, Scope
from console.alerts import rule_editing
from console.alerts.detecting import CLASSES
from console.alerts.handling import By
from console.alerts.models import Replay, Rule, Suppression
from console.alerts.registry import known
from console.alerts.replay import asking, working
from console.alerts.replay.asking import Refused
from console.alerts.replay.computing import Outcome
from console.alerts.replay.moments import KNOWN
from console.alerts.rule_editing import NotPublishable, Wording
from console.fleet.models import Pool, Service
from tests.alerts.test_rule_pages import form_of, text_of
from tests.make_accounts import make_token, make_user
from tests.make_fleet import NOON, make_machine, make_pool, make_service, make_team
from tests.make_interruptions import make_hook, make_interruption
from tests.make_oncall import make_rotation
from tests.make_reclaims import make_running
from tests.make_suppressions import draft_of

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=1)
"""When it is replayed: everything lies within the 30 days before."""


@pytest.fixture
def by() -> By:
    user = make_user("mona", role=Role.MANAGER)
    return By(user=user, actor=Actor.person(user))


@pytest.fixture
def checkout() -> Service:
    return make_service(slug="checkout", name="Checkout", criticality="critical", team=make_team(slug="pay"))


@pytest.fixture
def pool() -> Pool:
    return make_pool(zone="eu-west-1a", instance_type="m6i.large")


def take(service: Service, pool: Pool, count: int, *, at: datetime = NOON, of: int = 20) -> None:
    """So many of the service's machines go within a minute, noticed and ended in time."""
    machines = make_running(pool, of, service=service)
    for number, machine in enumerate(machines[:count]):
        started_at = at + timedelta(seconds=number)
        ended_at = started_at + timedelta(minutes=2)
        make_interruption(
            machine=machine,
            started_at=started_at,
            deadline_at=ended_at,
            ended_at=ended_at,
            state="ended",
            first_received_at=started_at,
            last_received_at=ended_at,
        )


def wording_of(slug: str, **changed: Any) -> Wording:
    """The version in force, with some limits changed."""
    version = rule_editing.newest(Rule.objects.get(slug=slug))
    assert version is not None
    wording = Wording.of(version)
    limits = {name: value for name, value in changed.items() if name in wording.thresholds}
    rest = {name: value for name, value in changed.items() if name not in limits}
    return replace(wording, thresholds={**wording.thresholds, **limits}, **rest)


def ask(slug: str, by: By, *, days: int = 30, **changed: Any) -> Replay:
    rule = Rule.objects.get(slug=slug)
    wording = wording_of(slug, **changed)
    return asking.ask_for_rule(rule, wording, days=days, origin="live", by=by, now=LATER)


def done(replay: Replay, *, now: datetime = LATER) -> Replay:
    working.work(clock=lambda: now)
    replay.refresh_from_db()
    assert replay.state == "done", replay.error
    return replay


def found(replay: Replay) -> list[tuple[str, str, str, str]]:
    rows = replay.episodes.order_by("opened_at", "pk")
    return [(row.key.partition(":")[0], row.difference, row.now_decision, row.draft_decision) for row in rows]


def fail(service: Service, count: int, *, at: datetime, apart: timedelta = timedelta(minutes=1)) -> None:
    """So many shutdown hooks of the service fail, one after another."""
    for number in range(count):
        moment = at + number * apart
        reclaim = make_interruption(machine=make_machine(service=service), started_at=moment)
        make_hook(reclaim, at=moment, received_at=moment, outcome="failed")


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but those that a replay may write."""
    own = {"alerts_replay", "alerts_replayepisode"}
    told = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in own:
                cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
                told[table] = cursor.fetchall()
    return told


def test_a_draft_that_says_what_the_rule_says_makes_no_difference(
    by: By, checkout: Service, pool: Pool
) -> None:
    take(checkout, pool, 12)
    replay = done(ask("cascade", by))
    assert found(replay) == [("wave", "same", "page", "page")]
    totals = replay.result["totals"]
    assert totals["now"] == totals["draft"]
    assert totals["now"]["pages"] == 1


def test_a_replayed_wave_says_what_its_siblings_do_as_it_was_heard(
    by: By, checkout: Service, pool: Pool
) -> None:
    take(checkout, pool, 12)
    for kind in ("c7i.large", "r7i.large"):
        make_running(make_pool(zone="eu-west-1a", instance_type=kind), 5)
    ours = make_running(make_pool(zone="eu-west-1a", instance_type="m5.large"), 5, service=checkout)
    at, heard_at = NOON + timedelta(seconds=5), NOON + timedelta(hours=2)
    make_interruption(
        machine=ours[0], started_at=at, ended_at=at, first_received_at=heard_at, last_received_at=heard_at
    )
    replay = done(ask("cascade", by))
    wave = replay.episodes.get(key__startswith="wave:")
    assert wave.title == "m6i.large in eu-west-1a: 12 of 20 reclaimed in 11 s; 3 sibling pools quiet"


def test_a_raised_threshold_loses_exactly_the_pages_of_smaller_cascades(
    by: By, checkout: Service, pool: Pool
) -> None:
    take(checkout, pool, 12, at=NOON - timedelta(days=5), of=13)
    take(checkout, make_pool(zone="eu-west-1b"), 16, at=NOON, of=16)
    replay = done(ask("cascade", by, least=14, large=14))
    assert [one[1:] for one in found(replay) if one[0] == "wave"] == [
        ("gone", "page", ""),
        ("same", "page", "page"),
    ]
    assert replay.result["totals"]["now"]["pages"] - replay.result["totals"]["draft"]["pages"] == 1
    assert replay.episodes.get(difference="gone").is_missed


def test_a_lower_share_pages_for_what_was_a_ticket(by: By, checkout: Service, pool: Pool) -> None:
    take(checkout, pool, 4)
    replay = done(ask("cascade", by, assumed_share=0.1))
    assert found(replay) == [("wave", "louder", "ticket", "page")]


def test_a_rule_that_would_be_switched_off_tells_nobody(by: By, checkout: Service, pool: Pool) -> None:
    take(checkout, pool, 12)
    replay = done(ask("cascade", by, is_enabled=False))
    assert found(replay) == [("wave", "gone", "page", "")]


def test_a_sampled_rule_tells_later_where_it_needs_more(by: By, checkout: Service) -> None:
    fail(checkout, 6, at=NOON, apart=timedelta(minutes=10))
    replay = done(ask("failed_hooks", by, least=5))
    assert found(replay) == [("failed_hooks", "delayed_by_draft", "ticket", "ticket")]
    assert replay.episodes.get().minutes == 20
    gone = done(ask("failed_hooks", by, least=7))
    assert found(gone) == [("failed_hooks", "gone", "ticket", "")]


def test_who_is_woken_is_read_from_the_roster_of_then(by: By, checkout: Service) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    make_rotation(alice, bob, team=checkout.team)
    for days in (7, 0):
        fail(checkout, 3, at=NOON - timedelta(days=days, hours=9))
    pages = {"holds": dict.fromkeys(CLASSES, "page")}
    replay = done(ask("failed_hooks", by, table=pages))
    rows = replay.episodes.order_by("opened_at")
    assert [(row.difference, row.now_people) for row in rows] == [("louder", []), ("louder", [])]
    assert sorted(name for row in rows for name in row.draft_people) == ["Alice", "Bob"]
    assert [row.draft_nights for row in rows] == [1, 1]
    assert {
        row["name"]: (row["now"], row["draft"], row["draft_nights"]) for row in replay.result["people"]
    } == {
        "Alice": (0, 1, 1),
        "Bob": (0, 1, 1),
    }
    assert replay.result["night_pages_saved"] == -2


def test_a_replay_writes_nothing_but_itself(by: By, checkout: Service, pool: Pool) -> None:
    take(checkout, pool, 12)
    replay = ask("cascade", by, least=14, large=14)
    before = everything()
    done(replay)
    assert everything() == before


@pytest.mark.parametrize(("day", "hour_utc"), [(27, 1), (30, 0)], ids=["winter", "summer"])
def test_a_nightly_suppression_hides_what_falls_into_its_local_window_on_both_sides_of_a_clock_change(
    by: By, checkout: Service, pool: Pool, day: int, hour_utc: int
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 4, 2, 12, tzinfo=UTC)
    inside = datetime(2026, 3, day, 2, 30, tzinfo=berlin).astimezone(UTC)
    assert inside.hour == hour_utc
    take(checkout, pool, 12, at=inside, of=100)
    take(checkout, make_pool(zone="eu-west-1b"), 12, at=inside - timedelta(hours=1), of=100)
    draft = replace(
        draft_of(rrule="FREQ=DAILY", minutes=60),
        starts_at=datetime(2026, 4, 3, 2, tzinfo=berlin).astimezone(UTC),
        time_zone="Europe/Berlin",
    )
    replay = done(asking.ask_for_suppression(draft, days=30, by=by, now=now), now=now)
    waves = [(row.opened_at, row.difference) for row in replay.episodes.filter(key__startswith="wave:")]
    assert sorted(waves) == [
        (inside - timedelta(hours=1) + timedelta(seconds=9), "same"),
        (inside + timedelta(seconds=9), "hidden"),
    ]
    assert not Suppression.objects.exists()


def test_what_a_suppression_hid_is_told_when_its_window_ends_while_it_still_fires(
    by: By, checkout: Service
) -> None:
    fail(checkout, 4, at=NOON - timedelta(hours=2))
    draft = draft_of(rrule="FREQ=DAILY", minutes=60, at=86_400 - 7_200 + 86_400)
    replay = done(asking.ask_for_suppression(draft, days=30, by=by, now=LATER))
    row = replay.episodes.get(key__startswith="failed_hooks:")
    assert (row.difference, row.draft_at) == ("delayed_by_draft", NOON - timedelta(hours=1))


def test_a_replay_whose_worker_was_killed_is_begun_again_and_leaves_one_result(
    by: By, checkout: Service, pool: Pool
) -> None:
    take(checkout, pool, 12)
    replay = ask("cascade", by)
    killed = working.claim(now=LATER)
    assert killed is not None
    assert working.claim(now=LATER + timedelta(seconds=30)) is None
    done(replay, now=LATER + working.LEASE + timedelta(seconds=1))
    assert (replay.attempts, replay.episodes.count()) == (2, 1)
    outcome = Outcome({"totals": {}}, [])
    assert not working.finish(killed, outcome, now=LATER)
    replay.refresh_from_db()
    assert replay.result["totals"]
    with pytest.raises(working.Stopped):
        working.Heart(killed, lambda: LATER)(0.5, "Still here")


def test_a_replay_that_kills_every_worker_is_given_up_and_says_so(by: By, checkout: Service) -> None:
    replay = ask("cascade", by)
    now = LATER
    for _ in range(working.MOST_ATTEMPTS):
        assert working.claim(now=now) is not None
        now += working.LEASE + timedelta(seconds=1)
    assert working.claim(now=now) is None
    replay.refresh_from_db()
    assert replay.state == "failed"
    assert "the worker died each time" in replay.error


def test_a_cancelled_replay_stops_and_leaves_no_result(by: By, checkout: Service) -> None:
    replay = ask("cascade", by)
    taken = working.claim(now=LATER)
    assert taken is not None
    assert asking.cancel(replay, by=by.actor, now=LATER)
    assert not asking.cancel(replay, by=by.actor, now=LATER)
    with pytest.raises(working.Stopped):
        working.Heart(taken, lambda: LATER)(0.5, "Replaying")
    replay.refresh_from_db()
    assert (replay.state, replay.result) == ("called_off", {})


def test_an_invalid_draft_is_refused_in_the_words_of_the_rule_checker(by: By) -> None:
    with pytest.raises(NotPublishable, match="it could never hold at 1"):
        ask("cascade", by, least=1)


def test_a_rule_of_which_no_past_is_stored_is_refused(by: By) -> None:
    with pytest.raises(Refused, match="Only the present is stored"):
        ask("capacity_at_risk", by)


def test_a_draft_that_would_fire_all_the_time_is_warned_of(by: By, checkout: Service) -> None:
    for day in range(29):
        for hour in (0, 8, 16):
            fail(checkout, 1, at=NOON - timedelta(days=day, hours=hour))
    replay = done(ask("failed_hooks", by, least=1))
    assert replay.result["constant"] == ["Shutdown hooks of Checkout fail"]


def test_publishing_from_the_result_puts_that_draft_into_force_and_no_other(
    by: By, checkout: Service
) -> None:
    rule = Rule.objects.get(slug="failed_hooks")
    wording = wording_of("failed_hooks", least=5)
    rule_editing.save_draft(
        rule, wording, started_from=rule_editing.revision_of(rule), by=by.actor, now=LATER
    )
    replay = done(ask("failed_hooks", by, least=5))
    other = wording_of("failed_hooks", least=6)
    rule_editing.save_draft(rule, other, started_from=rule_editing.revision_of(rule), by=by.actor, now=LATER)
    with pytest.raises(Refused, match="changed this rule since"):
        asking.publish(replay, change_note="Fewer tickets", by=by, now=LATER)
    again = done(ask("failed_hooks", by, least=6))
    version = asking.publish(again, change_note="Fewer tickets", by=by, now=LATER)
    assert version.thresholds["least"] == 6
    with pytest.raises(Refused, match="published already"):
        asking.publish(again, change_note="Fewer tickets", by=by, now=LATER)


def test_every_reading_that_can_be_replayed_says_when_it_may_differ() -> None:
    replayable = {one.read for one in known().values() if one.judge and one.is_replayable}
    assert {read.__name__ for read in replayable - set(KNOWN) if read} == {"read_rates"}


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(make_user("mia", role=Role.MANAGER))
    return client


def test_a_manager_replays_a_draft_from_its_editor_and_publishes_it_from_the_result(
    manager: Client, checkout: Service
) -> None:
    now = timezone.now()
    fail(checkout, 4, at=now - timedelta(days=2))
    answer = manager.post(
        "/rules/failed_hooks/edit/", form_of("failed_hooks", **{"limit-least": "9", "do": "replay-30"})
    )
    assert answer.status_code == 302
    url = answer["Location"]
    assert "Waiting for a worker" in text_of(manager.get(url))
    working.work(clock=timezone.now)
    page = text_of(manager.get(url))
    assert "1 ticket fewer" in page
    assert "Shutdown hooks of Checkout fail" in page
    assert "What is not replayed" in page
    assert "No episode matches" in text_of(manager.get(f"{url}?difference=new"))
    bar = manager.get(url, headers={"HX-Request": "true", "HX-Target": "replay"})
    assert bar["HX-Refresh"] == "true"
    assert "Failed hooks" in text_of(manager.get("/rules/replays/"))
    published = manager.post(f"{url}publish/", {"change_note": "Only when it is bad"})
    assert published["Location"] == "/rules/failed_hooks/"
    version = rule_editing.newest(Rule.objects.get(slug="failed_hooks"))
    assert version is not None
    assert version.thresholds["least"] == 9


def test_an_invalid_draft_is_answered_in_its_editor(manager: Client) -> None:
    answer = manager.post(
        "/rules/cascade/edit/", form_of("cascade", **{"limit-least": "1", "do": "replay-90"})
    )
    assert answer.status_code == 422
    assert "it could never hold at 1" in text_of(answer)
    assert not Replay.objects.exists()


def test_a_viewer_reads_results_and_asks_for_none(client: Client, by: By) -> None:
    replay = ask("cascade", by)
    client.force_login(make_user("vera", role=Role.VIEWER))
    page = text_of(client.get(f"/rules/replays/{replay.pk}/"))
    assert f"/rules/replays/{replay.pk}/cancel/" not in page
    assert client.post(f"/rules/replays/{replay.pk}/cancel/").status_code == 403


def test_programs_ask_for_a_replay_and_read_its_episodes(client: Client, checkout: Service) -> None:
    now = timezone.now()
    fail(checkout, 4, at=now - timedelta(days=2))
    _, secret = make_token(Scope.READ, Scope.MANAGE)
    bearer = {"Authorization": f"Bearer {secret}"}
    body = json.dumps({"rule": "failed_hooks", "thresholds": {"least": 9}})
    asked = client.post("/api/v1/replays", body, content_type="application/json", headers=bearer)
    assert asked.status_code == 202, asked.content
    pk = asked.json()["id"]
    working.work(clock=timezone.now)
    told = client.get(f"/api/v1/replays/{pk}", headers=bearer).json()
    assert (told["state"], told["result"]["totals"]["draft"]["tickets"]) == ("done", 0)
    rows = client.get(f"/api/v1/replays/{pk}/episodes?difference=any", headers=bearer).json()["items"]
    assert [(row["difference"], row["service"]) for row in rows] == [("gone", "checkout")]
    csv = b"".join(client.get(f"/api/v1/replays/{pk}/episodes?format=csv", headers=bearer).streaming_content)
    assert b"gone" in csv
    bad = json.dumps({"rule": "cascade", "thresholds": {"least": 1}})
    refused = client.post("/api/v1/replays", bad, content_type="application/json", headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (422, "cannot_replay")


def test_the_command_prints_what_would_have_been_different(checkout: Service) -> None:
    now = timezone.now()
    fail(checkout, 4, at=now - timedelta(days=2))
    said = StringIO()
    call_command("replay", "failed_hooks", "--set", "least=9", stdout=said)
    assert "1 ticket fewer" in said.getvalue()
    assert "Gone" in said.getvalue()


def test_programs_replay_a_suppression_that_is_not_made(client: Client, checkout: Service) -> None:
    _, secret = make_token(Scope.READ, Scope.MANAGE)
    bearer = {"Authorization": f"Bearer {secret}"}
    body: dict[str, Any] = {
        "name": "Nightly",
        "reason": "Upgrades",
        "scopes": ["service:checkout"],
        "rrule": "FREQ=DAILY",
    }
    body |= {"minutes": 480, "time_zone": "Europe/Berlin"}
    url, whole = "/api/v1/replays/suppression", body | {"days": 90}
    asked = client.post(url, json.dumps(whole), content_type="application/json", headers=bearer)
    assert asked.status_code == 202, asked.content
    working.work(clock=timezone.now)
    told = client.get(f"/api/v1/replays/{asked.json()['id']}", headers=bearer).json()
    assert told["state"] == "done"
    assert told["result"]["windows"] in (90, 91)
    assert not Suppression.objects.exists()
