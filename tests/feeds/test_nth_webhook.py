"""The node termination handler's webhook: its default line in both modes, our template, and everybody else's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from console.feeds.normalised import Cause, Kind, Reading, Rejected, Result
from console.feeds.sources.nth_webhook import TEMPLATE, Message, decoded
from tests.feeds.conftest import PAYLOADS

NOTICED_AT = datetime(2026, 3, 11, 14, 31, 38, tzinfo=UTC)
DEADLINE = NOTICED_AT + timedelta(seconds=120)
MACHINE = "i-0d41c7a9be2f60538"
EVENTBRIDGE_ID = "9f0c4a1e-27b3-4d58-8e61-b0a5c7d2e3f4"
PLACE = {"account": "204816327500", "region": "eu-central-1"}
Read = Callable[..., Reading]


def test_in_queue_mode_the_id_is_eventbridges_own_and_the_start_is_the_notice(read_case: Read) -> None:
    (told,) = read_case("nth_webhook/queue-mode", **PLACE).events
    assert (told.kind, told.cause, told.may_open) == (Kind.INTERRUPTION_NOTICE, Cause.SPOT, True)
    assert told.event_id == EVENTBRIDGE_ID
    assert (told.occurred_at, told.deadline_at) == (NOTICED_AT, DEADLINE)
    assert (told.machine.instance_id, told.machine.account) == (MACHINE, "204816327500")
    assert told.machine.region == "eu-central-1"


def test_an_id_cut_to_fit_a_taint_is_queue_mode_and_names_nothing(read_case: Read) -> None:
    reading = read_case("nth_webhook/queue-mode-cut", **PLACE)
    (told,) = reading.events
    assert (told.occurred_at, told.deadline_at) == (NOTICED_AT, DEADLINE)
    assert not EVENTBRIDGE_ID.startswith(told.event_id)
    assert len(told.event_id) == 40


def test_in_imds_mode_the_start_is_the_deadline_and_the_id_is_shared_by_machines(read_case: Read) -> None:
    (told,) = read_case("nth_webhook/imds-mode", **PLACE).events
    assert (told.occurred_at, told.deadline_at) == (NOTICED_AT, DEADLINE)
    assert told.is_precise_deadline
    assert len(told.event_id) == 40


def test_our_template_says_account_and_region_itself(read_case: Read) -> None:
    (told,) = read_case("nth_webhook/published-template", account="999999999999").events
    assert (told.machine.account, told.machine.region) == ("204816327500", "eu-central-1")
    assert told.event_id == EVENTBRIDGE_ID


def test_the_published_template_is_what_is_read() -> None:
    names = set(re.findall(r'"(\w+)": [{"]', TEMPLATE))
    assert names == {field.encode_name for field in msgspec.structs.fields(Message)} - {"text"}


def test_an_older_handlers_one_kind_is_told_apart_by_its_description(read_case: Read) -> None:
    (told,) = read_case("nth_webhook/queue-mode-old-kind").events
    assert (told.kind, told.may_open) == (Kind.REBALANCE_RECOMMENDATION, True)


def test_maintenance_is_observed_now_and_due_at_its_start(read_case: Read) -> None:
    (told,) = read_case("nth_webhook/scheduled-event", **PLACE).events
    assert (told.cause, told.may_open, told.is_observed) == (Cause.MAINTENANCE, False, True)
    assert told.deadline_at == datetime(2026, 3, 15, 9, tzinfo=UTC)


def test_a_template_of_the_users_own_is_kept_as_unrecognised(read_case: Read) -> None:
    reading = read_case("nth_webhook/own-template")
    assert (reading.result, reading.events) == (Result.UNRECOGNISED, ())


def test_the_bare_line_break_of_the_default_template_is_read_as_meant_and_kept_as_sent(
    read_case: Read, read_bytes: Any
) -> None:
    body = (PAYLOADS / "nth_webhook/queue-mode.json").read_bytes().replace(b" \\n - Start", b" \n - Start")
    with pytest.raises(ValueError, match="control character"):
        json.loads(body)
    (item,) = read_bytes(body, kind="nth-webhook", **PLACE).items
    assert item.raw == body
    assert item.outcome == read_case("nth_webhook/queue-mode", **PLACE)


def test_only_hex_that_spells_an_id_is_decoded() -> None:
    assert decoded("spot-itn-event-" + EVENTBRIDGE_ID.encode().hex()) == EVENTBRIDGE_ID
    assert decoded("spot-itn-" + "3fa9c1" * 10) is None
    assert decoded("spot-itn-event-") is None


def test_a_line_without_a_machine_or_time_is_refused(read_bytes: Any) -> None:
    def refusal(instance: str, node: str, start: str) -> str:
        line = (
            f"[NTH][Instance Interruption] EventID: x - Kind: SPOT_ITN - Instance: {instance} - Node: {node}"
            f" - Description: d - Start Time: {start}"
        )
        (item,) = read_bytes(f'{{"text": "{line}"}}'.encode(), kind="nth-webhook", **PLACE).items
        assert isinstance(item.outcome, Rejected)
        return item.outcome.code

    assert refusal("", "", "2026-03-11 14:31:38 +0000 UTC") == "missing_instance_id"
    assert refusal(MACHINE, "n", "soon") == "invalid_time"
    assert refusal("i-x", "n", "2026-03-11 14:31:38 +0000 UTC") == "invalid_field"
