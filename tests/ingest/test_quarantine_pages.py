"""The quarantine's page and its API."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client

from console.accounts.models import Role, Scope
from console.feeds.models import Delivery, QuarantinedItem, QuarantineReplay
from console.feeds.normalised import REFUSALS
from console.ingest.error_codes import ERRORS
from tests.ingest.test_replaying import warning
from tests.make_accounts import make_token, make_user
from tests.make_feeds import make_feed, make_held

pytestmark = pytest.mark.django_db


def browser(role: Role = Role.MANAGER) -> Client:
    client = Client()
    client.force_login(make_user(role=role))
    return client


def program(*scopes: Scope) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_token(*scopes)[1]}"})


def test_the_list_filters_by_what_stands_in_the_url(django_assert_max_num_queries: Any) -> None:
    one, two = make_feed(slug="one"), make_feed(slug="two")
    make_held(one, b"1", code="malformed_json", detail="first thing")
    make_held(two, b"2", detail="second <script>thing</script>")
    make_held(one, b"3", origin="drill", detail="drilled thing")
    client = browser()
    with django_assert_max_num_queries(20):
        page = client.get("/quarantine/").content.decode()
    assert ("first thing" in page, "drilled thing" in page, "<script>thing" in page) == (True, False, False)
    for query in ("code=malformed_json", "feed=one", "q=FIRST"):
        page = client.get(f"/quarantine/?{query}").content.decode()
        assert ("first thing" in page, "second &lt;" in page) == (True, False), query
    assert "No message fits the filters" in client.get("/quarantine/?state=replayed").content.decode()
    assert client.get("/quarantine/?state=x&cursor=y&q=%00%27&feed=%00").status_code == 200


def test_an_empty_quarantine_says_that_all_is_well() -> None:
    assert "Nothing is held" in browser(Role.VIEWER).get("/quarantine/").content.decode()


def test_ten_thousand_are_led_through_by_cursor_and_fast(django_assert_max_num_queries: Any) -> None:
    feed = make_feed()
    make_held(feed, b"0")
    known = QuarantinedItem.objects.get()
    QuarantinedItem.objects.bulk_create(
        QuarantinedItem(feed=feed, origin="live", received_at=known.received_at, last_at=known.last_at,
                        code="invalid_field", detail="x", body=b"{}", body_hash=str(n))
        for n in range(10_000)
    )  # fmt: skip
    client, seen, url = browser(), 0, "/quarantine/"
    for _ in range(3):
        with django_assert_max_num_queries(20):
            page = client.get(url)
        seen += page.content.decode().count('id="quarantined-')
        url = f"/quarantine/{page.context['next_url']}"
    assert (seen, page.context["total"]) == (150, 10_001)


def test_one_message_is_shown_with_what_to_do_and_downloaded_as_it_came() -> None:
    item = make_held(make_feed(), b"\x00\xff<script>")
    client = browser(Role.VIEWER)
    page = client.get(f"/quarantine/{item.pk}/").content.decode()
    assert "00 ff 3c" in page
    assert ERRORS["invalid_field"].meaning in page
    assert "Replay" not in page
    assert client.get(f"/quarantine/{item.pk}/?format=raw").content == b"\x00\xff<script>"


def test_chosen_messages_are_replayed_from_the_page() -> None:
    feed = make_feed()
    good, bad, left = make_held(feed, warning(1)), make_held(feed, b"{"), make_held(feed, warning(2))
    client = browser(Role.RESPONDER)
    answer = client.post(
        "/quarantine/replay/?feed=x", {"item": [good.pk, bad.pk, "x", "9" * 30]}, follow=True
    )
    assert answer.redirect_chain == [("/quarantine/?feed=x", 302)]
    said = [str(message) for message in answer.context["messages"]]
    assert said == ["1 taken.", "1 refused again; the reason stands beside it."]
    states = dict(QuarantinedItem.objects.values_list("pk", "state"))
    assert states == {good.pk: "replayed", bad.pk: "held", left.pk: "held"}
    assert Delivery.objects.count() == 1


def test_all_of_a_filter_are_replayed_in_the_background_and_the_page_says_how_far() -> None:
    feed = make_feed(slug="f")
    make_held(feed, warning(1))
    make_held(make_feed(), warning(2))
    client = browser(Role.RESPONDER)
    client.post("/quarantine/replay/?feed=f", {"all": "1"})
    asked = QuarantineReplay.objects.get()
    assert (asked.wanted_count, asked.feed, asked.finished_at) == (1, feed, None)
    assert "Reading again: 0 of 1" in client.get("/quarantine/").content.decode()


def test_viewers_replay_nothing_and_responders_discard_nothing() -> None:
    item = make_held(make_feed(), warning())
    assert browser(Role.VIEWER).post("/quarantine/replay/", {"item": item.pk}).status_code == 403
    assert browser(Role.RESPONDER).post("/quarantine/discard/", {"item": item.pk}).status_code == 403
    browser().post("/quarantine/discard/", {"item": item.pk})
    item.refresh_from_db()
    assert item.state == "discarded"


def test_every_code_is_explained() -> None:
    assert ERRORS.keys() == REFUSALS.keys()


def test_programs_list_read_and_replay() -> None:
    feed = make_feed(slug="f")
    good, bad = make_held(feed, warning()), make_held(feed, b"{")
    make_held(feed, b"x", origin="drill")
    reader, actor = program(), program(Scope.READ, Scope.ACT)
    assert [item["id"] for item in reader.get("/api/v1/quarantine").json()["items"]] == [bad.pk, good.pk]
    assert reader.get("/api/v1/quarantine?code=too_large").json() == {"items": [], "next": None}
    whole = reader.get(f"/api/v1/quarantine/{bad.pk}").json()
    assert (base64.b64decode(whole["body_base64"]), whole["feed"], whole["size"]) == (b"{", "f", 1)
    assert reader.post(f"/api/v1/quarantine/{good.pk}/replay").status_code == 403
    answer = actor.post(f"/api/v1/quarantine/{good.pk}/replay").json()
    assert (answer["replayed"], answer["item"]["state"]) == (True, "replayed")
    assert actor.post(f"/api/v1/quarantine/{good.pk}/replay").status_code == 409
    refused = actor.post(f"/api/v1/quarantine/{bad.pk}/replay").json()
    assert (refused["replayed"], refused["item"]["code"]) == (False, "malformed_json")
    assert actor.post("/api/v1/quarantine/999999/replay").status_code == 404
