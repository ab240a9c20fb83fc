"""Feeds connected and tended by programs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from console.accounts.models import AuditEntry, Scope, hash_secret
from console.feeds.models import Feed, FeedToken
from tests.make_accounts import make_token
from tests.make_feeds import make_feed, make_secret

pytestmark = pytest.mark.django_db
ORDER = {"name": "AWS production", "kind": "aws-eventbridge"}


def program(*scopes: Scope, **fields: str) -> Client:
    _, secret = make_token(*(scopes or (Scope.ADMIN,)), **fields)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def post(client: Client, path: str, **body: Any) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json")


def test_a_feed_is_connected_with_a_secret_that_opens_it_and_the_trail_says_so() -> None:
    answer = post(program(), "feeds", **ORDER, account="1", expects_within_seconds=900)
    made = answer.json()
    assert (answer.status_code, made["slug"], made["expects_within_seconds"]) == (201, "aws-production", 900)
    assert made["address"].endswith("/ingest/aws-production")
    assert FeedToken.objects.get().secret_hash == hash_secret(made["secret"])
    entry = AuditEntry.objects.get(action="feed.create")
    assert (entry.actor_kind, entry.subject_label) == ("token", "AWS production")
    assert made["secret"] not in str(list(AuditEntry.objects.values()))


def test_the_same_order_with_the_same_secret_again_changes_nothing() -> None:
    client, order = program(), ORDER | {"secret": "a-secret-of-my-own"}
    assert [post(client, "feeds", **order).status_code for _ in range(2)] == [201, 200]
    assert (Feed.objects.count(), FeedToken.objects.count(), AuditEntry.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("order", "status"),
    [
        (ORDER, 409),
        (ORDER | {"kind": "cloudevents"}, 409),
        (ORDER | {"slug": "other", "secret": "taken-secret"}, 409),
        (ORDER | {"slug": "new"}, 422),
        (ORDER | {"slug": "A b"}, 422),
        (ORDER | {"slug": "other", "secret": "short"}, 422),
        (ORDER | {"kind": "carrier-pigeon"}, 422),
        (ORDER | {"colour": "red"}, 422),
        (ORDER | {"name": " "}, 422),
        (ORDER | {"slug": "other", "account": "a\0b"}, 422),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_leaves_nothing(order: dict[str, Any], status: int) -> None:
    make_secret(make_feed(slug="aws-production"), secret="taken-secret")
    answer = post(program(), "feeds", **order)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]
    assert (Feed.objects.count(), FeedToken.objects.count(), AuditEntry.objects.count()) == (1, 1, 0)


@pytest.mark.django_db(transaction=True)
def test_many_that_connect_one_address_at_once_make_one_feed_and_the_others_hear_of_it() -> None:
    start, (_, secret) = Barrier(6), make_token(Scope.ADMIN)
    headers = {"Authorization": f"Bearer {secret}"}

    def order(_: int) -> int:
        start.wait(timeout=20)
        try:
            return int(post(Client(headers=headers), "feeds", **ORDER).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        answers = sorted(threads.map(order, range(6)))
    assert answers == [201, 409, 409, 409, 409, 409]
    assert (Feed.objects.count(), FeedToken.objects.count(), AuditEntry.objects.count()) == (1, 1, 1)


def test_what_a_change_leaves_out_stays_and_null_takes_an_expectation_away() -> None:
    client = program()
    post(client, "feeds", **ORDER, account="1", expects_within_seconds=900)
    changed = client.patch(
        "/api/v1/feeds/aws-production", {"name": "AWS"}, content_type="application/json"
    ).json()
    assert (changed["name"], changed["account"], changed["expects_within_seconds"]) == ("AWS", "1", 900)
    quiet = client.patch(
        "/api/v1/feeds/aws-production", {"expects_within_seconds": None}, content_type="application/json"
    ).json()
    assert quiet["expects_within_seconds"] is None
    assert AuditEntry.objects.filter(action="feed.update").count() == 2


def test_a_feed_is_paused_and_resumed_and_twice_is_written_down_once() -> None:
    make_feed(slug="a")
    client = program()
    assert [post(client, "feeds/a/pause").json()["state"] for _ in range(2)] == ["paused", "paused"]
    assert [post(client, "feeds/a/resume").json()["state"] for _ in range(2)] == ["waiting", "waiting"]
    assert [one.action for one in AuditEntry.objects.order_by("pk")] == ["feed.pause", "feed.resume"]


def test_a_new_secret_ends_the_old_ones_after_the_overlap_and_can_be_revoked() -> None:
    make_secret(make_feed(slug="a"))
    client = program()
    made = post(client, "feeds/a/tokens", overlap_seconds=0)
    assert made.status_code == 201
    listed = client.get("/api/v1/feeds/a/tokens").json()["items"]
    assert [one["expires_at"] is None for one in listed] == [True, False]
    assert made.json()["secret"] not in str(listed)
    path = f"/api/v1/feeds/a/tokens/{made.json()['id']}"
    assert [client.delete(path).json()["expires_at"] is None for _ in range(2)] == [False, False]
    assert [one.action for one in AuditEntry.objects.order_by("pk")] == ["feed.rotate", "feed.revoke"]


def test_only_an_admins_token_of_the_same_origin_may() -> None:
    make_feed(slug="a")
    assert post(program(Scope.MANAGE, Scope.READ), "feeds", **ORDER).status_code == 403
    assert post(program(origin="drill"), "feeds/a/pause").status_code == 404
    assert Client().post("/api/v1/feeds/a/pause").status_code == 401
    assert AuditEntry.objects.count() == 0
