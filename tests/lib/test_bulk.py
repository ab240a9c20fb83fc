"""Many rows in one statement, as the rows themselves would have been saved."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.alerts.models import Receipt, Rule, RuleState, Standing
from console.lib.bulk import update_rows, upsert_rows
from tests.make_fleet import make_machine, make_service
from tests.make_reclaims import alert, make_reclaim, second

pytestmark = pytest.mark.django_db
UNIQUE = ("rule", "origin", "scope")
FIELDS = [
    field.name for field in RuleState._meta.fields if not field.primary_key and field.name not in UNIQUE
]


def states(count: int, **fields: object) -> list[RuleState]:
    rule = Rule.objects.order_by("pk")[0]
    known: dict[str, object] = {
        "version_id": rule.versions.get().pk,
        "standing": Standing.FIRING,
        "text": 'ä "quoted" \\ {curly}, and a comma',
        "severity": "warning",
        "true_since": second(0),
        "evaluated_at": second(0),
        "value": None,
    }
    return [
        RuleState(rule=rule, origin="live", scope=f"s-{number}", **(known | fields))
        for number in range(count)
    ]


def test_rows_are_inserted_then_changed_in_one_statement_each_and_the_same_ones_are_not_written() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert upsert_rows(states(3), unique=UNIQUE, fields=FIELDS) == 3
    assert len([one for one in queries if "INSERT" in one["sql"]]) == 1
    stored = RuleState.objects.get(scope="s-1")
    assert (stored.text, stored.value, stored.evaluated_at) == (states(1)[0].text, None, second(0))
    assert upsert_rows(states(3), unique=UNIQUE, fields=FIELDS) == 0
    later = states(2, value=0.25, evaluated_at=second(60))
    assert upsert_rows(later, unique=UNIQUE, fields=FIELDS) == 2
    assert list(RuleState.objects.order_by("scope").values_list("value", flat=True)) == [0.25, 0.25, None]


def test_json_text_and_times_are_stored_as_they_are_and_other_rows_stay() -> None:
    make_reclaim(make_machine(service=make_service(slug="checkout")), at=0)
    alert(1)
    receipts = list(Receipt.objects.order_by("pk"))
    receipts[0].inputs = {"said": 'ä "b" \\', "n": [1, None, {"deep": True}]}
    receipts[0].at = second(5) + timedelta(microseconds=7)
    assert update_rows(receipts[:1], ["inputs", "at"]) == 1
    again = list(Receipt.objects.order_by("pk"))
    assert (again[0].inputs, again[0].at) == (receipts[0].inputs, receipts[0].at)
    assert [one.inputs for one in again[1:]] == [one.inputs for one in receipts[1:]]
    assert update_rows([], ["inputs"]) == 0
