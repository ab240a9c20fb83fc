"""The pages about feeds, as each role sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.test import Client, RequestFactory
from django.utils import timezone

from console.accounts.models import Role
from console.feeds.first_steps import first_steps
from console.feeds.guides import PLACEHOLDER, event_pattern, guide_for, watcher_program
from console.feeds.kinds import offered_kinds
from console.feeds.models import Delivery, Feed, FeedHour, FeedKind, FeedToken
from console.feeds.normalised import ParseContext, Reading
from console.feeds.raw_body import show_body
from console.feeds.reading import PARSERS, read_body
from console.feeds.sources.aws.eventbridge import EVENT_TYPES
from console.feeds.trial_messages import trial_message
from tests.make_accounts import make_user
from tests.make_feeds import NOON, make_feed, make_held, make_secret

pytestmark = pytest.mark.django_db


def browser(role: Role = Role.MANAGER) -> Client:
    client = Client()
    client.force_login(make_user(role=role))
    return client


def make_delivery(feed: Feed, **fields: Any) -> Delivery:
    known = {
        "received_at": timezone.now(),
        "delivery_id": f"d-{Delivery.objects.count()}",
        "result": "accepted",
    }
    return Delivery.objects.create(feed=feed, **({"body": b"{}"} | known | fields))


@pytest.mark.parametrize(
    "path", ["/feeds/", "/feeds/new/", "/feeds/f/", "/feeds/f/connect/", "/feeds/f/settings/", "/quarantine/"]
)
def test_strangers_are_sent_to_sign_in(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, "login" in answer.headers["Location"]) == (302, True)


@pytest.mark.parametrize("path", ["new/", "f/settings/"])
def test_viewers_and_responders_may_not_set_up(path: str) -> None:
    make_feed(slug="f")
    for role in (Role.VIEWER, Role.RESPONDER):
        assert browser(role).get(f"/feeds/{path}").status_code == 403


@pytest.mark.parametrize("verb", ["pause", "resume", "rotate", "test", "tokens/1/revoke"])
def test_only_managers_change_a_feed_and_only_by_post(verb: str) -> None:
    make_feed(slug="f")
    assert browser(Role.RESPONDER).post(f"/feeds/f/{verb}/").status_code == 403
    assert browser().get(f"/feeds/f/{verb}/").status_code == 405


def test_feed_list_tells_quiet_from_silent_and_stays_within_its_queries(
    django_assert_max_num_queries: Any,
) -> None:
    now = timezone.now()
    make_feed(name="Calm", last_seen_at=now - timedelta(hours=5))
    make_feed(name="Deaf", last_seen_at=now - timedelta(hours=5), expects_within=timedelta(minutes=5))
    client = browser(Role.VIEWER)
    with django_assert_max_num_queries(20):
        page = client.get("/feeds/").content.decode()
    assert page.count("Quiet") >= 1
    assert "wifi-off" in page.partition("Deaf")[0].rpartition("<tr")[2]
    assert "wifi-off" not in page.partition("Calm")[0].rpartition("<tr")[2]
    assert "Connect a feed" not in page


def test_feed_list_shows_one_origin() -> None:
    make_feed(name="Real one")
    make_feed(name="Drilled one", origin="drill")
    page = browser().get("/feeds/").content.decode()
    assert ("Real one" in page, "Drilled one" in page) == (True, False)
    assert "Drilled one" in browser().get("/feeds/?origin=drill").content.decode()


def test_an_empty_feed_list_says_how_to_go_on() -> None:
    assert "Connect your first feed" in browser().get("/feeds/").content.decode()
    assert "Ask somebody with the role manager" in browser(Role.VIEWER).get("/feeds/").content.decode()
    assert "Show live feeds" in browser().get("/feeds/?origin=sample").content.decode()


def test_an_unchanged_region_is_answered_204() -> None:
    make_feed(last_seen_at=NOON)
    client, headers = browser(), {"HX-Request": "true", "HX-Target": "feed-table"}
    first = client.get("/feeds/", headers=headers)
    again = client.get("/feeds/", headers=headers | {"X-Region-Digest": first["X-Region-Digest"]})
    assert (first.status_code, again.status_code) == (200, 204)
    assert b"<html" not in first.content


def test_a_new_feed_shows_its_secret_once_with_the_guide_filled_in() -> None:
    client = browser()
    page = client.post(
        "/feeds/new/", {"kind": "aws-eventbridge", "name": "AWS prod", "expects_within": "15m"}
    )
    token = FeedToken.objects.get()
    text = page.content.decode()
    secret = text.partition('id="feed-secret"')[2].partition(">")[2].partition("<")[0]
    assert secret.startswith(token.prefix)
    assert text.count(secret) >= 3
    assert "no-store" in page.headers["Cache-Control"]
    assert "http://testserver/ingest/aws-prod" in text
    later = client.get("/feeds/aws-prod/connect/").content.decode()
    assert (secret in later, PLACEHOLDER in later) == (False, True)
    assert Feed.objects.get().expects_within == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "nonsense", "name": "x"}, "not one of the available choices"),
        ({"kind": "aws-eventbridge", "name": ""}, "required"),
        ({"kind": "aws-eventbridge", "name": "???"}, "letters and digits"),
        ({"kind": "aws-eventbridge", "name": "Taken"}, "exists already"),
        ({"kind": "aws-eventbridge", "name": "x", "expects_within": "soon"}, "no length of time"),
    ],
)
def test_a_wrong_form_comes_back_with_what_is_wrong(fields: dict[str, str], says: str) -> None:
    make_feed(slug="taken")
    answer = browser().post("/feeds/new/", fields)
    assert (answer.status_code, Feed.objects.count()) == (422, 1)
    assert says in answer.content.decode()


def test_kinds_that_arrive_later_are_shown_and_cannot_be_chosen() -> None:
    page = browser().get("/feeds/new/").content.decode()
    assert page.count("arrives later") == len(FeedKind) - len(PARSERS)
    for kind in offered_kinds():
        box = page.partition(f'value="{kind.value}"')[2].partition(">")[0]
        assert ("disabled" in box) == (not kind.is_available)
    assert {kind.value for kind in offered_kinds()} == set(FeedKind.values)


def test_feed_detail_shows_messages_unread_kinds_and_secrets(django_assert_max_num_queries: Any) -> None:
    feed = make_feed(slug="f", last_seen_at=timezone.now())
    make_secret(feed)
    make_delivery(feed)
    for _ in range(3):
        make_delivery(feed, result="unrecognised", note="unknown detail-type <b>x</b>")
    FeedHour.objects.create(
        feed=feed, hour=timezone.now().replace(minute=0, second=0, microsecond=0), accepted=4
    )
    make_held(feed)
    client = browser()
    with django_assert_max_num_queries(20):
        page = client.get("/feeds/f/").content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x</b>" not in page
    assert page.count('id="delivery-') == 4
    assert '<b class="num">3</b>' in page
    only = client.get("/feeds/f/?show=unrecognised").content.decode()
    assert only.count('id="delivery-') == 3
    assert "No signs of life" in client.get("/feeds/f/?show=heartbeats").content.decode()


def test_messages_are_paged_without_gaps() -> None:
    feed = make_feed(slug="f")
    for number in range(60):
        make_delivery(feed, received_at=timezone.now() - timedelta(seconds=number))
    client, seen, url = browser(), [], "/feeds/f/"
    while url:
        page = client.get(url)
        seen += [row.pk for row in page.context["page"].items] if page.context else []
        url = f"/feeds/f/{page.context['next_url']}" if page.context["next_url"] else ""
    assert len(seen) == len(set(seen)) == 60
    assert client.get("/feeds/f/?cursor=forged").status_code == 200


def test_a_message_is_shown_safely_and_downloaded_byte_for_byte() -> None:
    feed = make_feed(slug="f")
    body = b'{"name": "<script>alert(1)</script>\xe2\x80\xae"}'
    one = make_delivery(feed, body=body, headers={"ce-id": "<i>"})
    client = browser(Role.VIEWER)
    page = client.get(f"/feeds/f/deliveries/{one.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "\u202e" not in page
    raw = client.get(f"/feeds/f/deliveries/{one.pk}/?format=raw")
    assert (raw.content, raw.headers["Content-Type"]) == (body, "application/octet-stream")
    assert raw.headers["Content-Disposition"].startswith("attachment")
    assert raw.headers["X-Content-Type-Options"] == "nosniff"
    other = make_feed(slug="other")
    assert client.get(f"/feeds/{other.slug}/deliveries/{one.pk}/").status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff" * 40, b"x" * 100_000, bytes(range(256)) * 1000, b'{"a": ' * 2000]
)
def test_any_bytes_can_be_shown(body: bytes) -> None:
    shown = show_body(body)
    assert shown.size == len(body)
    assert all(char == "\n" or char == "\t" or ord(char) >= 32 for char in shown.text)
    assert len(shown.text) < 400_000


def test_pausing_resuming_rotating_and_revoking_from_the_page() -> None:
    feed = make_feed(slug="f")
    secret = make_secret(feed)
    client = browser()
    client.post("/feeds/f/pause/")
    feed.refresh_from_db()
    assert feed.paused_at is not None
    client.post("/feeds/f/resume/")
    feed.refresh_from_db()
    assert feed.paused_at is None
    page = client.post("/feeds/f/rotate/", {"overlap": "3600"}).content.decode()
    newest = feed.tokens.order_by("-pk")[0]
    assert newest.prefix in page
    assert secret not in page
    client.post(f"/feeds/f/tokens/{newest.pk}/revoke/")
    newest.refresh_from_db()
    assert not newest.is_usable(now=timezone.now())
    assert client.post("/feeds/f/rotate/", {"overlap": "x"}).status_code == 302


def test_settings_are_changed_in_place() -> None:
    feed = make_feed(slug="f", name="Old")
    client = browser()
    assert 'value="Old"' in client.get("/feeds/f/settings/").content.decode()
    client.post("/feeds/f/settings/", {"name": "New", "expects_within": "2h"})
    feed.refresh_from_db()
    assert (feed.name, feed.expects_within) == ("New", timedelta(hours=2))
    assert client.post("/feeds/f/settings/", {"name": ""}).status_code == 422


# Guides ----------------------------------------------------------------------------------------
def test_the_rule_asks_for_every_event_that_the_parser_understands() -> None:
    pattern = json.loads(event_pattern())
    for source, detail_type in EVENT_TYPES:
        assert source in pattern["source"]
        assert detail_type in pattern["detail-type"]
    assert len(event_pattern()) < 2048  # EventBridge takes no longer one


POLLED = {"kubernetes-watch"}
"""Kinds that the console asks: nobody posts, so neither address nor secret is given away."""
SIGNED = {"gcp-pubsub"}
"""Kinds whose sender signs what it sends and holds no secret of the console's."""


@pytest.mark.parametrize("kind", sorted(PARSERS))
def test_every_kind_that_can_be_read_has_a_guide_and_a_message_to_try(kind: str) -> None:
    parts = guide_for(kind, address="https://console.example/ingest/x", secret="s3cret-Value")
    code = "\n".join(one.code for part in parts for one in part.codes)
    assert ("https://console.example/ingest/x" in code) == (kind not in POLLED)
    assert ("s3cret-Value" in code) == (kind not in SIGNED | POLLED)
    assert "&quot;" not in code
    body = json.dumps(trial_message(kind, now=NOON)).encode()
    read = read_body(
        body, kind=kind, content_type="application/json", headers={}, context=ParseContext(), received_at=NOON
    )
    outcome = read.items[0].outcome
    assert isinstance(outcome, Reading)
    assert outcome.events[0].may_open == (kind != "alertmanager"), "alerts open nothing"


@pytest.mark.parametrize("kind", ["aws-imds", "gcp-metadata", "azure-scheduled-events", "node-report"])
def test_the_guides_of_nodes_hold_the_watcher_its_unit_and_its_daemon_set(kind: str) -> None:
    codes = {
        one.file_name: one.code
        for part in guide_for(kind, address="https://console.example/ingest/x", secret="s3cret-Value")
        for one in part.codes
    }
    assert codes["spot-watch"] + "\n" == watcher_program()
    assert "FEED_SECRET=s3cret-Value" in codes["spot-watch.env"]
    secret, program, daemon_set = yaml.safe_load_all(codes["spot-watch.yaml"])
    assert secret["stringData"] == {"secret": "s3cret-Value"}
    assert program["data"]["spot-watch"].rstrip() == watcher_program().rstrip()
    pod = daemon_set["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {one["name"]: one.get("value") for one in container["env"]}
    assert env["FEED_ADDRESS"] == "https://console.example/ingest/x"
    assert (pod["hostNetwork"], pod["priorityClassName"]) == (True, "system-node-critical")
    assert container["resources"]["limits"]["memory"] == "64Mi"


# First steps -----------------------------------------------------------------------------------
@pytest.fixture
def steps() -> Callable[[Client], Any]:
    def ask(client: Client) -> Any:
        request = RequestFactory().get("/")
        request.user = make_user(role=Role.ADMIN)
        request.COOKIES.update({name: morsel.value for name, morsel in client.cookies.items()})
        return first_steps(request)

    return ask


def test_first_steps_are_worked_out_and_go_away_when_dismissed(steps: Callable[[Client], Any]) -> None:
    client = browser()
    told = steps(client)
    assert [step.is_done for step in told.steps] == [False, False, False, True]
    make_feed(slug="f", last_accepted_at=NOON)
    told = steps(client)
    assert ([step.is_done for step in told.steps], told.next.url) == ([True, True, False, True], "/services/")
    assert client.post("/first-steps/dismiss/").status_code == 302
    assert steps(client) is None


def test_regions_of_a_feed_that_are_asked_for_together_are_each_whole() -> None:
    feed = make_feed(slug="f")
    make_secret(feed)
    FeedHour.objects.create(
        feed=feed, hour=timezone.now().replace(minute=0, second=0, microsecond=0), accepted=3
    )

    together = browser().get(
        "/feeds/f/", headers={"HX-Request": "true", "HX-Target": "feed-hours feed-tokens feed-history"}
    )

    told = {name: part["html"] for name, part in together.json().items()}
    assert "No message in the last 48 hours" not in told["feed-hours"]
    assert "Revoke" in told["feed-tokens"]
    assert "Nothing was done" in told["feed-history"]
