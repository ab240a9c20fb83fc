"""Connecting and tending feeds: safe to do twice, secrets readable once, every change written down."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry, hash_secret
from console.feeds.connecting import CannotConnect, FeedOrder, connect
from console.feeds.health import FeedState, feed_figures, feed_states
from console.feeds.kinds import is_available
from console.feeds.models import Feed, FeedHour, FeedKind, FeedToken
from console.feeds.tending import FeedSettings, change_settings, pause, resume, revoke, rotate
from console.lib.lengths import parse_length, write_length
from tests.make_feeds import NOON, make_feed, make_held, make_secret

pytestmark = pytest.mark.django_db
BY = Actor.console("test")
AWS = FeedKind.AWS_EVENTBRIDGE
UNBUILT = next((kind.value for kind in FeedKind if not is_available(kind)), "")


def feed_command(*words: str) -> list[str]:
    out = StringIO()
    call_command("feed", *words, stdout=out, stderr=StringIO())
    return out.getvalue().split()


def test_the_command_prints_address_and_secret_and_keeps_a_fingerprint_only() -> None:
    address, secret = feed_command("create", "AWS production", "--kind", "aws-eventbridge")
    assert address == "http://127.0.0.1:8000/ingest/aws-production"
    token = FeedToken.objects.get(feed__slug="aws-production")
    assert (token.secret_hash, secret.startswith(token.prefix)) == (hash_secret(secret), True)
    assert AuditEntry.objects.get().action == "feed.create"


def test_the_same_order_with_its_token_is_safe_to_give_twice() -> None:
    words = [
        "create",
        "AWS",
        "--kind",
        "node-report",
        "--token",
        "short-one",
        "--origin",
        "drill",
        "--account",
        "1",
    ]
    first, again = feed_command(*words), feed_command(*words)
    assert first == again == ["http://127.0.0.1:8000/ingest/aws", "short-one"]
    assert (Feed.objects.get().origin, FeedToken.objects.count(), AuditEntry.objects.count()) == (
        "drill",
        1,
        1,
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["AWS", "--kind", "aws-eventbridge"], "exists already"),
        (["AWS", "--kind", "aws-eventbridge", "--token", "another-secret"], "exists already"),
        (["AWS", "--kind", "cloudevents", "--token", "first-secret"], "of kind aws-eventbridge"),
        (["Other", "--kind", "cloudevents", "--token", "first-secret"], "opens another feed"),
        (["Other", "--kind", "cloudevents", "--token", "short"], "8 to 512"),
        (["Other", "--kind", "cloudevents", "--token", "with space"], "printable ASCII"),
        (["???", "--kind", "cloudevents"], "letters and digits"),
        (["New", "--kind", "cloudevents"], "Choose another name"),
        (["Other", "--kind", "cloudevents", "--slug", "Not A Slug"], "letters and digits"),
    ],
)
def test_another_order_under_the_same_name_is_refused_in_a_sentence(words: list[str], says: str) -> None:
    feed_command("create", "AWS", "--kind", "aws-eventbridge", "--token", "first-secret")
    with pytest.raises(CommandError, match=says):
        feed_command("create", *words)
    assert (Feed.objects.count(), FeedToken.objects.count()) == (1, 1)


@pytest.mark.skipif(not UNBUILT, reason="every kind is built")
def test_a_kind_that_is_not_built_is_connected_with_a_warning() -> None:
    said = StringIO()
    call_command("feed", "create", "Later", "--kind", UNBUILT, stdout=StringIO(), stderr=said)
    assert "501" in said.getvalue()
    assert Feed.objects.get().kind == UNBUILT


def test_the_prefix_of_a_given_secret_never_shows_it_whole() -> None:
    made = connect(FeedOrder(name="x", kind=AWS, secret="12345678"), by=BY, now=NOON)
    assert made.feed.tokens.get().prefix == "1234"


def test_rotating_lets_the_old_secret_go_on_for_a_while_and_never_longer_than_it_had() -> None:
    feed = make_feed()
    make_secret(feed)
    make_secret(feed, expires_at=NOON + timedelta(hours=1))
    token, secret = rotate(feed, by=BY, now=NOON, overlap=timedelta(hours=24))
    assert token.secret_hash == hash_secret(secret)
    ends = list(feed.tokens.order_by("pk").values_list("expires_at", flat=True))
    assert ends == [NOON + timedelta(hours=24), NOON + timedelta(hours=1), None]
    assert revoke(token, by=BY, now=NOON)
    assert not revoke(token, by=BY, now=NOON + timedelta(seconds=1))
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["feed.rotate", "feed.revoke"]
    assert secret not in str(list(AuditEntry.objects.values()))


def test_pausing_and_resuming_twice_is_written_down_once() -> None:
    feed = make_feed()
    assert [pause(feed, by=BY, now=NOON), pause(feed, by=BY, now=NOON)] == [True, False]
    assert [resume(feed, by=BY, now=NOON), resume(feed, by=BY, now=NOON)] == [True, False]
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["feed.pause", "feed.resume"]


def test_only_what_differs_of_the_settings_is_written_down() -> None:
    feed = make_feed(name="AWS")
    settings = FeedSettings(name="AWS", expects_within=timedelta(minutes=15))
    assert change_settings(feed, settings, by=BY, now=NOON)
    assert not change_settings(feed, settings, by=BY, now=NOON)
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"expects_within": None}, {"expects_within": 900})


def test_two_orders_at_the_same_address_make_one_feed() -> None:
    connect(FeedOrder(name="AWS one", kind=AWS, slug="aws"), by=BY, now=NOON)
    with pytest.raises(CannotConnect):
        connect(FeedOrder(name="Aws", kind=AWS), by=BY, now=NOON)


MINUTES = {name: timedelta(minutes=n) for name, n in (("1m", 1), ("15m", 15), ("59m", 59), ("2h", 120))}


@pytest.mark.parametrize(
    ("seen", "expects", "paused", "state"),
    [
        ("1m", "15m", False, FeedState.HEALTHY),
        ("59m", "15m", False, FeedState.SILENT),
        ("59m", None, False, FeedState.HEALTHY),
        ("2h", None, False, FeedState.QUIET),
        (None, None, False, FeedState.WAITING),
        (None, "2h", False, FeedState.WAITING),
        (None, "15m", False, FeedState.SILENT),
        ("2h", "15m", True, FeedState.PAUSED),
    ],
)
def test_quiet_is_told_from_deaf(
    seen: str | None, expects: str | None, paused: bool, state: FeedState
) -> None:
    feed = make_feed(
        created_at=NOON - timedelta(hours=1),
        last_seen_at=NOON - MINUTES[seen] if seen else None,
        expects_within=MINUTES[expects] if expects else None,
        paused_at=NOON if paused else None,
    )
    assert feed_states([feed], now=NOON) == {feed.pk: state}


def test_figures_cover_a_day_by_the_hour_and_what_is_held() -> None:
    feed, other = make_feed(), make_feed()
    for back, accepted in ((0, 5), (1, 7), (23, 11), (24, 1000)):
        FeedHour.objects.create(feed=feed, hour=NOON - timedelta(hours=back), accepted=accepted, rejected=1)
    make_held(feed)
    figures = feed_figures([feed, other], now=NOON + timedelta(minutes=30))
    assert (figures[feed.pk].recent["accepted"], figures[feed.pk].day["accepted"]) == (12, 23)
    assert (figures[feed.pk].held, figures[other.pk].held) == (1, 0)
    assert figures[feed.pk].since == NOON - timedelta(hours=1)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h 30m", 5400), ("2D", 172_800)])
def test_lengths_are_read_as_people_type_them(text: str, seconds: int) -> None:
    assert parse_length(text) == timedelta(seconds=seconds)
    assert parse_length(write_length(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "0s", "5 parsecs", "1h x"])
def test_what_is_no_length_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="15m"):
        parse_length(text)
