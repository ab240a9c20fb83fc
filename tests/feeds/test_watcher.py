"""The wrapper in which a watcher on a node posts what it polled, whatever the provider."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from console.feeds.normalised import ParseContext, Rejected, Result
from console.feeds.sources.watcher import Watched, aside, is_path_among, open_watched

RECEIVED_AT = datetime(2026, 3, 11, 14, 31, 42, tzinfo=UTC)
NODE = {
    "provider": "gcp",
    "account": "shop-prod-1",
    "zone": "europe-west1-c",
    "instance_id": "4021885517233905166",
    "node_name": "gke-shop-spot-7f3a-x2vq",
    "boot_id": "0e8d7f4a-7c1f-4b51-9a53-0a4c4b1b0f6e",
}


def opened(body: Any, *, path: str = "instance/preempted", **said: Any) -> Watched:
    raw = json.dumps({"context": NODE | said, "path": path, "body": body}).encode()
    return open_watched(raw, context=ParseContext(account="of-the-feed"), received_at=RECEIVED_AT)


def test_the_watcher_wins_over_the_feeds_settings() -> None:
    machine = opened("TRUE").machine("gcp")
    assert (machine.account, machine.instance_id) == ("shop-prod-1", "4021885517233905166")
    assert (machine.region, machine.zone) == ("europe-west1", "europe-west1-c")
    assert machine.boot_id == NODE["boot_id"]


def test_a_bare_document_is_about_the_machine_of_the_settings() -> None:
    context = ParseContext(account="shop-prod-1", instance_id="4021885517233905166")
    watched = open_watched(b'"TRUE"', context=context, received_at=RECEIVED_AT)
    assert (watched.path, watched.body) == (None, b'"TRUE"')
    assert watched.machine("gcp").instance_id == "4021885517233905166"


def test_a_document_with_a_field_called_path_is_bare() -> None:
    watched = open_watched(b'{"path": "x"}', context=ParseContext(), received_at=RECEIVED_AT)
    assert watched.body == b'{"path": "x"}'


def test_observed_is_when_the_watcher_first_saw_the_value() -> None:
    seen = opened("TRUE", first_seen_at="2026-03-11T14:31:38+00:00")
    assert seen.observed_at == datetime(2026, 3, 11, 14, 31, 38, tzinfo=UTC)
    assert opened("TRUE").observed_at == RECEIVED_AT


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"instance_id": "40218855..."}, "missing_instance_id"),
        ({"instance_id": None, "node_name": ""}, "missing_instance_id"),
        ({"instance_id": "i-0d41c7a2b95e3f680"}, "invalid_field"),
        ({"instance_id": 7}, "invalid_field"),
        ({"account": "NOT A PROJECT"}, "invalid_field"),
        ({"provider": "aws"}, "invalid_field"),
        ({"first_seen_at": "yyyy-mm-ddThh:mm:ssZ"}, "invalid_time"),
    ],
)
def test_a_node_that_cannot_be_told_is_refused(said: dict[str, Any], code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        opened("TRUE", **said).machine("gcp")
    assert refusal.value.code == code


@pytest.mark.parametrize("missing", ["path", "body"])
def test_a_wrapper_without_its_parts_is_refused(missing: str) -> None:
    wrapper: dict[str, Any] = {"context": NODE, "path": "instance/preempted", "body": "TRUE"}
    del wrapper[missing]
    raw = json.dumps(wrapper).encode()
    with pytest.raises(Rejected, match=f"{missing}: missing"):
        open_watched(raw, context=ParseContext(), received_at=RECEIVED_AT)


def test_each_poll_of_one_value_is_one_statement() -> None:
    first, again = opened("TRUE"), opened("TRUE", first_seen_at="2026-03-11T14:31:38Z")
    assert first.event_id(first.machine("gcp")) == again.event_id(again.machine("gcp"))


def test_another_boot_or_another_value_is_another_statement() -> None:
    def id_of(watched: Watched) -> str:
        return watched.event_id(watched.machine("gcp"))

    told = [
        opened("TRUE"),
        opened("FALSE"),
        opened("TRUE", boot_id="another"),
        opened("TRUE", boot_id=None, first_seen_at="2026-03-11T14:31:38Z"),
        opened("TRUE", boot_id=None, first_seen_at="2026-04-11T14:31:38Z"),
        opened("TRUE", instance_id="77"),
    ]
    assert len({id_of(watched) for watched in told}) == len(told)


@pytest.mark.parametrize("said", [{"provider": "heroku"}, {}])
def test_what_no_table_names_is_set_aside(said: dict[str, Any]) -> None:
    watched = opened("x", path="instance/preempted" if said else "instance/unheard-of", **said)
    reading = aside(b"{}", watched, paths=["instance/preempted"])
    assert reading is not None
    assert reading.result is Result.UNRECOGNISED


@pytest.mark.parametrize(
    "path",
    ["/latest/meta-data/spot/instance-action", "spot/instance-action", "spot/instance-action?x=1"],
)
def test_a_path_is_known_with_and_without_what_stands_before_it(path: str) -> None:
    assert is_path_among(path, ["spot/instance-action"])
    assert not is_path_among(path, ["instance/preempted"])
    assert not is_path_among(None, ["spot/instance-action"])
