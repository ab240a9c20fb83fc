"""Feeds for programs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import Scope
from tests.make_accounts import make_token
from tests.make_feeds import make_feed, make_held

pytestmark = pytest.mark.django_db


def program(*scopes: Scope, **fields: str) -> Client:
    _, secret = make_token(*scopes, **fields)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_every_feed_is_listed_with_its_health() -> None:
    silent = make_feed(
        slug="a", expects_within=timedelta(minutes=1), created_at=timezone.now() - timedelta(hours=1)
    )
    make_feed(slug="b", kind="kubernetes-watch", account="1")
    make_feed(slug="c", origin="drill")
    make_held(silent)
    items = program().get("/api/v1/feeds").json()["items"]
    assert [(item["slug"], item["state"], item["held_count"]) for item in items] == [
        ("a", "silent", 1),
        ("b", "waiting", 0),
    ]
    assert (items[1]["is_available"], items[1]["account"], items[0]["account"]) == (True, "1", None)
    assert [
        item["slug"] for item in program().get("/api/v1/feeds?kind=kubernetes-watch").json()["items"]
    ] == ["b"]
    assert b"a," in b"".join(program().get("/api/v1/feeds?format=csv").streaming_content)  # type: ignore[attr-defined]


def test_one_feed_of_the_tokens_origin() -> None:
    make_feed(slug="a")
    make_feed(slug="c", origin="drill")
    assert program().get("/api/v1/feeds/a").json()["slug"] == "a"
    assert program().get("/api/v1/feeds/c").status_code == 404
    assert program(origin="drill").get("/api/v1/feeds/c").status_code == 200
    assert program(Scope.FACTS).get("/api/v1/feeds").status_code == 403
