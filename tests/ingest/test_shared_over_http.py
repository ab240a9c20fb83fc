"""The published samples beside the project, sent over real HTTP; each is answered as its expected outcome says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.feeds.reading import PARSERS
from tests.feeds.test_shared_samples import CASES, body_of
from tests.ingest.conftest import Answer, Sender

pytestmark = pytest.mark.skipif(not CASES, reason="no published samples beside the project")


@pytest.mark.parametrize(("name", "outcome"), CASES)
def test_a_published_sample_is_answered_as_expected_and_kept_once(
    sender: Callable[..., Sender], name: str, outcome: dict[str, Any]
) -> None:
    said = outcome.get("context", {})
    one = sender(
        kind=outcome["feed_kind"],
        **{key: said[key] for key in ("account", "region", "cluster") if key in said},
    )
    if outcome["result"] == "handshake" and outcome["feed_kind"] == "aws-sns":
        pytest.skip("a confirmation is fetched for a signed message only: test_senders")
    body, headers = body_of(name, outcome), dict(outcome.get("headers", {}))
    answer = one.post(body, headers=headers)
    if outcome["feed_kind"] not in PARSERS:
        assert (answer.status, answer.code) == (501, "kind_not_available")
    elif not said.keys() - {"account", "region", "cluster", "topic_arns"}:  # the rest only a watcher can say
        check_answer(answer, outcome)
    kept = everything(one)
    if outcome["result"] == "handshake" and outcome["feed_kind"] in PARSERS:
        assert kept == []
        return
    assert kept
    assert all(piece in body for piece in kept)  # whole, or its items cut out as they were sent
    one.post(body, headers=headers)
    assert everything(one) == kept


def check_answer(answer: Answer, outcome: dict[str, Any]) -> None:
    assert answer.status == outcome["status"]
    if outcome["result"] == "handshake":
        assert answer.body == outcome.get("answer", {})
        return
    if outcome["code"] is not None:
        assert outcome["code"] in (answer.code, *(error["code"] for error in answer.body.get("errors", ())))
    elif "counts" not in outcome:
        assert answer.body[outcome["result"]] == 1
    for result, count in outcome.get("counts", {}).items():
        assert answer.body[result] == count


def everything(one: Sender) -> list[bytes]:
    return [*one.stored(), *one.heartbeats(), *(held for _, held in one.held())]
