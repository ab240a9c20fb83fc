"""Reading a body as the front door does, at a fixed time. Needs no database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.feeds.normalised import ParseContext, Reading, Rejected
from console.feeds.reading import Body, read_body

PAYLOADS = Path(__file__).parent / "payloads"
RECEIVED_AT = datetime(2026, 3, 11, 14, 31, 42, tzinfo=UTC)
KINDS = {
    "aws": "aws-eventbridge",
    "aws_imds": "aws-imds",
    "aws_sns": "aws-sns",
    "aws_sqs": "aws-sqs",
    "cloudevents": "cloudevents",
    "node_report": "node-report",
    "gcp": "gcp-pubsub",
    "gcp_operations": "gcp-operations",
    "gcp_metadata": "gcp-metadata",
    "azure": "azure-eventgrid",
    "azure_scheduled_events": "azure-scheduled-events",
    "kubernetes": "kubernetes",
    "nth_webhook": "nth-webhook",
    "alertmanager": "alertmanager",
}
"""Which kind of feed the payloads of a folder come by."""

ReadBytes = Callable[..., Body]
ReadCase = Callable[..., Reading]
RefuseCase = Callable[..., Rejected]


@pytest.fixture
def read_bytes() -> ReadBytes:
    def read(body: bytes, *, kind: str = "aws-eventbridge", content_type: str = "application/json",
             headers: dict[str, str] | None = None, **context: Any) -> Body:  # fmt: skip
        return read_body(
            body,
            kind=kind,
            content_type=content_type,
            headers=headers or {},
            context=ParseContext(**context),
            received_at=RECEIVED_AT,
        )

    return read


@pytest.fixture
def read_case(read_bytes: ReadBytes) -> ReadCase:
    """The reading of a captured payload that is taken."""

    def read(name: str, **context: Any) -> Reading:
        body = (PAYLOADS / f"{name}.json").read_bytes()
        (item,) = read_bytes(body, kind=KINDS[name.partition("/")[0]], **context).items
        assert isinstance(item.outcome, Reading), item.outcome
        return item.outcome

    return read


@pytest.fixture
def refuse_case(read_bytes: ReadBytes) -> RefuseCase:
    """The refusal of a captured payload that is not taken."""

    def read(name: str, **context: Any) -> Rejected:
        body = (PAYLOADS / f"{name}.json").read_bytes()
        (item,) = read_bytes(body, kind=KINDS[name.partition("/")[0]], **context).items
        assert isinstance(item.outcome, Rejected), item.outcome
        return item.outcome

    return read
