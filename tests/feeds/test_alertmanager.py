"""Alertmanager's webhook: each alert a witness of its machine, none of them an opening."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from console.feeds.normalised import Kind, Reading, Rejected

STARTED_AT = datetime(2026, 3, 11, 14, 31, 40, 500000, tzinfo=UTC)
Read = Callable[..., Reading]
Refuse = Callable[..., Rejected]


def test_each_alert_that_names_something_is_one_statement(read_case: Read) -> None:
    reading = read_case("alertmanager/firing-and-resolved")
    firing, resolved = reading.events
    assert (firing.kind, firing.may_open, firing.cause) == (Kind.STATE_CHANGE, False, None)
    assert (firing.occurred_at, resolved.occurred_at) == (STARTED_AT, STARTED_AT + timedelta(minutes=5))
    assert firing.machine.instance_id == "i-0d41c7a9be2f60538"
    assert (firing.machine.cluster, resolved.machine.instance_id) == ("shop-eu", None)
    assert firing.event_id != resolved.event_id
    assert "4 more alerts" in reading.note


def test_an_older_servers_alert_is_known_by_its_labels(read_case: Read) -> None:
    (told,) = read_case("alertmanager/no-fingerprint").events
    assert told.event_id.endswith(":firing")
    assert told.labels == {"namespace": "checkout"}
    assert told.machine.identifier == ""


def test_an_alert_that_always_fires_is_a_sign_of_life(read_case: Read) -> None:
    reading = read_case("alertmanager/watchdog")
    assert (reading.is_heartbeat, reading.events) == (True, ())


def test_version_three_is_refused(refuse_case: Refuse) -> None:
    assert refuse_case("alertmanager/old-version").code == "unsupported_version"


def test_an_alert_without_a_start_is_refused(refuse_case: Refuse) -> None:
    refusal = refuse_case("alertmanager/no-start")
    assert (refusal.code, "alerts[0].startsAt" in refusal.detail) == ("invalid_time", True)
