"""Pushed counts are stored once a minute, the later push wins, and their hours always add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.accounts.models import Scope
from console.ingest import keeping
from console.lib.partitions import ensure_partitions
from console.slo import retention
from console.slo.counting import forget_counts, write_counts
from console.slo.models import RequestHour, RequestMinute
from tests.make_accounts import make_token
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(second=0, microsecond=0)


@pytest.fixture
def push() -> Any:
    _, secret = make_token(Scope.FACTS)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return lambda rows: client.put("/api/v1/requests", data=rows, content_type="application/json")


def row(minutes_ago: int = 10, **fields: Any) -> dict[str, Any]:
    at = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    return {"service": "web", "minute": at, "good": 95, "total": 100} | fields


def minutes() -> list[tuple[float, float]]:
    return list(RequestMinute.objects.order_by("minute").values_list("good", "total"))


def test_a_minute_is_stored_once_and_the_later_push_wins(push: Any) -> None:
    make_service(slug="web")
    told = push([row(), row()]).json()
    assert (told["stored"], told["unchanged"], told["rejected"]) == (1, 1, 0)
    assert push([row()]).json()["stored"] == 0
    assert push([row(good=90), row(9, good=1.5, total=2)]).json()["stored"] == 2
    assert minutes() == [(90.0, 100.0), (1.5, 2.0)]
    assert push([row(good=1), row(good=2)]).json()["stored"] == 1
    assert minutes()[0] == (2.0, 100.0)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"service": "gone"}, "service", "make it first"),
        ({"good": 101}, "good", "total counts the good ones too"),
        ({"good": -1}, "good", ">= 0"),
        ({"total": "many"}, "total", "Expected `float`"),
        ({"minute": "2026-03-11T14:31:40Z"}, "minute", "14:31:00"),
        ({"minute": "2026-03-11T14:31:00"}, "minute", "has no zone"),
        ({"minute": "2999-01-01T00:00:00Z"}, "minute", "future"),
        ({"minute": "2020-01-01T00:00:00Z"}, "minute", "90 days"),
        ({"bad": 5}, "bad", "unknown field"),
    ],
)
def test_a_row_that_cannot_be_taken_is_named_and_costs_only_itself(
    push: Any, fields: dict[str, Any], field: str, words: str
) -> None:
    make_service(slug="web")
    told = push([row(), row(11, **fields)]).json()
    assert (told["stored"], told["rejected"]) == (1, 1)
    error = told["errors"][0]
    assert (error["index"], error["field"]) == (1, field)
    assert words in error["detail"]
    refused = push([row(11, **fields)])
    assert (refused.status_code, refused.json()["code"]) == (422, "no_valid_rows")


def test_a_list_may_hold_ten_thousand_rows_and_no_more(push: Any) -> None:
    make_service(slug="web")
    rows = [row(5 + number) for number in range(10_000)]
    assert push(rows).json()["stored"] == 10_000
    assert push(rows).json() == {
        "stored": 0,
        "unchanged": 10_000,
        "rejected": 0,
        "errors": [],
        "warnings": [],
    }
    assert RequestHour.objects.filter(minute_count=60).count() >= 165
    refused = push([*rows, row(4)])
    assert (refused.status_code, refused.json()["code"]) == (413, "too_many_rows")


def test_a_token_needs_the_scope_and_reaches_only_its_own_origin(push: Any) -> None:
    make_service(slug="web")
    _, reader = make_token(Scope.READ)
    client = Client(headers={"Authorization": f"Bearer {reader}"})
    assert client.put("/api/v1/requests", data=[row()], content_type="application/json").status_code == 403
    _, sampler = make_token(Scope.FACTS, origin="sample")
    client = Client(headers={"Authorization": f"Bearer {sampler}"})
    told = client.put("/api/v1/requests", data=[row()], content_type="application/json")
    assert "make it first" in told.json()["errors"][0]["detail"]


HOUR = datetime(2026, 3, 11, 12, tzinfo=UTC)
changes = st.lists(
    st.tuples(
        st.integers(0, 180), st.integers(0, 1000), st.integers(0, 1024).map(lambda part: 1000 + part / 1024)
    ),
    max_size=40,
)


@given(st.lists(changes, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_sums_of_hours_are_those_of_their_minutes(batches: list[list[tuple[int, int, float]]]) -> None:
    RequestMinute.objects.all().delete()
    RequestHour.objects.all().delete()
    service = make_service()
    for batch in batches:
        write_counts(
            {(service.pk, 0, HOUR + timedelta(minutes=at)): (good, total) for at, good, total in batch},
            origin="live",
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT date_trunc('hour', minute, 'UTC'), sum(good), sum(total), count(*) FROM slo_requestminute"
            " GROUP BY 1 ORDER BY 1"
        )
        wanted = cursor.fetchall()
    found = RequestHour.objects.order_by("hour").values_list("hour", "good", "total", "minute_count")
    assert list(found) == wanted


def test_counts_of_another_query_go_with_their_sums() -> None:
    service = make_service()
    for counted_for in (0, 7):
        write_counts({(service.pk, counted_for, HOUR): (1, 2)}, origin="live")
    forget_counts(origin="live", service_id=service.pk, counted_for=7)
    assert list(RequestMinute.objects.values_list("counted_for", flat=True)) == [0]
    assert list(RequestHour.objects.values_list("counted_for", flat=True)) == [0]


def test_minutes_end_after_ninety_days_and_their_sums_stay() -> None:
    service = make_service()
    old, older = NOW - timedelta(days=91), NOW - timedelta(days=89)
    write_counts({(service.pk, 0, old): (1, 2), (service.pk, 0, older): (1, 2)}, origin="live")
    ensure_partitions(retention.TABLES, now=NOW)
    keeping.keep(now=NOW)
    assert RequestMinute.objects.count() == 1
    assert RequestHour.objects.count() == 2
