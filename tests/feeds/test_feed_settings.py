"""What a feed knows of its sender: checked before it is stored, shown where it is changed, written down."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from console.accounts.models import AuditEntry
from console.feeds.feed_settings import SETTINGS, WrongSetting, checked_settings, sender_settings, typed
from console.feeds.models import Feed
from console.lib.sealing import CannotUnseal, resealed, seal, unseal
from tests.feeds.test_views_feeds import browser
from tests.make_feeds import make_feed

pytestmark = pytest.mark.django_db
TOPIC = "arn:aws:sns:eu-west-1:111122223333:spot-events"
TENANT = "5b8f9d1e-2a3c-4d5e-8f60-718293a4b5c6"


def create(*words: str) -> Feed:
    call_command("feed", "create", "Told", *words, stdout=StringIO(), stderr=StringIO())
    return Feed.objects.get(slug="told")


def test_lists_are_typed_one_a_line_and_each_once() -> None:
    stored = checked_settings("aws-sns", {"topic_arns": f"{TOPIC}\n {TOPIC}-2,{TOPIC}"})
    assert stored == {"topic_arns": [TOPIC, f"{TOPIC}-2"]}
    assert sender_settings(stored).topic_arns == (TOPIC, f"{TOPIC}-2")
    assert typed("aws-sns", stored)["topic_arns"] == f"{TOPIC}\n{TOPIC}-2"


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("aws-sns", {"topic_arns": "spot-events"}, "must be the ARN of an SNS topic"),
        ("aws-sns", {"topic_arns": "arn:aws:sqs:eu-west-1:111122223333:q"}, "must be the ARN"),
        ("aws-sns", {"topic_arns": " ".join(f"{TOPIC}-{n}" for n in range(51))}, "at most 50"),
        ("aws-sns", {"topics": TOPIC}, "no setting of feeds of kind aws-sns. It takes: topic_arns, lookup"),
        ("node-report", {"topics": TOPIC}, "It takes: none."),
        ("gcp-pubsub", {"audience": "https://x.example"}, "needed with the others"),
        ("gcp-pubsub", {"audience": "a", "service_account": "nobody"}, "must be the e-mail address"),
        ("gcp-pubsub", {"subscription": "spot"}, "projects/PROJECT/subscriptions/NAME"),
        ("azure-eventgrid", {"tenant": "contoso", "audience": "a"}, "a GUID"),
        ("azure-eventgrid", {"tenant": TENANT}, "needed with the others"),
    ],
)
def test_a_setting_that_cannot_be_says_what_to_do(kind: str, given: dict[str, str], says: str) -> None:
    with pytest.raises(WrongSetting, match=says.replace(".", r"\.")):
        checked_settings(kind, given)


def test_what_is_stored_and_no_longer_known_is_passed_over() -> None:
    assert sender_settings({"of_another_time": 1}).topic_arns == ()


def test_every_setting_has_a_place_in_the_struct() -> None:
    for settings in SETTINGS.values():
        for setting in settings:
            assert hasattr(sender_settings({}), setting.name) != bool(setting.secret_of)


def test_the_command_sets_them_and_the_trail_says_so() -> None:
    feed = create("--kind", "aws-sns", "--set", f"topic_arns={TOPIC}", "--set", f"topic_arns={TOPIC}-2")
    assert feed.settings == {"topic_arns": [TOPIC, f"{TOPIC}-2"]}
    assert (AuditEntry.objects.get().after or {})["topic_arns"] == [TOPIC, f"{TOPIC}-2"]


@pytest.mark.parametrize("words", [["--set", "topic_arns=x"], ["--set", "colour=red"], ["--set", "red"]])
def test_the_command_refuses_a_wrong_one_and_makes_no_feed(words: list[str]) -> None:
    with pytest.raises(CommandError):
        create("--kind", "aws-sns", *words)
    assert not Feed.objects.exists()


@pytest.fixture
def manager() -> Client:
    make_feed(slug="told", kind="aws-sns", settings={"topic_arns": [TOPIC]})
    return browser()


def test_the_form_shows_and_changes_them(manager: Client) -> None:
    page = manager.get("/feeds/told/settings/").content.decode()
    assert TOPIC in page
    assert "Topics that may post" in page
    sent = {"name": "Told", "sender_topic_arns": f"{TOPIC}-2"}
    assert manager.post("/feeds/told/settings/", sent).status_code == 302
    assert Feed.objects.get().settings == {"topic_arns": [f"{TOPIC}-2"]}
    entry = AuditEntry.objects.get(action="feed.update")
    assert (entry.before, entry.after) == ({"topic_arns": [TOPIC]}, {"topic_arns": [f"{TOPIC}-2"]})


def test_the_form_comes_back_with_what_is_wrong(manager: Client) -> None:
    answer = manager.post("/feeds/told/settings/", {"name": "Told", "sender_topic_arns": "spot-events"})
    assert answer.status_code == 422
    assert "must be the ARN of an SNS topic" in answer.content.decode()
    assert Feed.objects.get().settings == {"topic_arns": [TOPIC]}


def test_they_can_be_taken_away_again(manager: Client) -> None:
    manager.post("/feeds/told/settings/", {"name": "Told", "sender_topic_arns": ""})
    assert Feed.objects.get().settings == {}


def test_a_kind_without_any_shows_none() -> None:
    make_feed(slug="plain", kind="node-report")
    assert "sender_" not in browser().get("/feeds/plain/settings/").content.decode()


# Secrets ---------------------------------------------------------------------------------------
QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/spot-console"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SQS = {"sender_queue_urls": QUEUE, "sender_access_key_id": KEY_ID}


@pytest.fixture
def with_secret() -> Client:
    make_feed(slug="polled", kind="aws-sqs")
    client = browser()
    sent = {"name": "Polled", "sender_secret_access_key": KEY} | SQS
    assert client.post("/feeds/polled/settings/", sent).status_code == 302
    return client


def sealed() -> dict[str, str]:
    return dict(Feed.objects.get(slug="polled").sealed)


def test_a_secret_is_stored_sealed_and_neither_shown_nor_told(with_secret: Client) -> None:
    feed = Feed.objects.get(slug="polled")
    assert KEY not in str(feed.sealed)
    assert unseal(feed.sealed["secret_access_key"]) == KEY
    assert feed.settings == {"queue_urls": [QUEUE], "access_key_id": KEY_ID}
    for page in ("/feeds/polled/settings/", "/feeds/polled/", "/feeds/polled/connect/"):
        text = with_secret.get(page).content.decode()
        assert KEY not in text
        assert feed.sealed["secret_access_key"] not in text
    entry = AuditEntry.objects.get(action="feed.update")
    assert (entry.after or {})["secret_access_key"] == "set"
    assert KEY not in str(entry.after)


def test_a_secret_left_empty_stays_another_replaces_it_and_its_key_id_takes_it_away(
    with_secret: Client,
) -> None:
    before = sealed()
    with_secret.post("/feeds/polled/settings/", {"name": "Polled"} | SQS)
    assert sealed() == before
    with_secret.post(
        "/feeds/polled/settings/", {"name": "Polled", "sender_secret_access_key": KEY[::-1]} | SQS
    )
    assert unseal(sealed()["secret_access_key"]) == KEY[::-1]
    assert (AuditEntry.objects.order_by("pk").last().after or {}) == {"secret_access_key": "replaced"}  # type: ignore[union-attr]
    with_secret.post("/feeds/polled/settings/", {"name": "Polled", "sender_queue_urls": QUEUE})
    assert sealed() == {}


def test_a_wrong_secret_does_not_come_back_with_the_form(with_secret: Client) -> None:
    sent = {"name": "Polled", "sender_secret_access_key": "wrong secret with spaces"} | SQS
    answer = with_secret.post("/feeds/polled/settings/", sent)
    assert answer.status_code == 422
    assert "wrong secret" not in answer.content.decode()


def test_a_secret_opens_after_the_key_was_rotated_while_the_old_one_is_a_fallback() -> None:
    old, new = b"o" * 32, b"n" * 32
    with override_settings(SECRETS_KEYS=[old]):
        text = seal(KEY)
    with override_settings(SECRETS_KEYS=[new, old]):
        assert unseal(text) == KEY
        renewed = resealed(text)
    with override_settings(SECRETS_KEYS=[new]):
        assert unseal(renewed) == KEY
        with pytest.raises(CannotUnseal):
            unseal(text)
