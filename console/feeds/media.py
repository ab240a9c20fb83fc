"""Media types a body may come with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from console.feeds.normalised import Rejected

CLOUD_EVENT = "application/cloudevents+json"
CLOUD_EVENT_BATCH = "application/cloudevents-batch+json"
_LINES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_JSON = frozenset({"application/json", "text/json", *_LINES})
WORD_KINDS = frozenset({"gcp-metadata", "aws-imds"})
"""What metadata services answer may be one word of plain text; it is read as that word in quotes."""
_TEXT_KINDS = WORD_KINDS | {"aws-sns"}


@lru_cache(maxsize=256)
def essence(content_type: str) -> str:
    """Without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


@lru_cache(maxsize=256)
def is_json(content_type: str) -> bool:
    kind = essence(content_type)
    return kind in _JSON or kind.endswith("+json") or kind.startswith("application/x-amz-json")


def is_lines(content_type: str) -> bool:
    return essence(content_type) in _LINES


def is_binary_cloud_event(content_type: str, headers: Mapping[str, str]) -> bool:
    """Attributes in headers; a structured event says so in its media type."""
    if essence(content_type).startswith("application/cloudevents"):
        return False
    return "ce-specversion" in headers or "ce-id" in headers or "ce-type" in headers


def check_media_type(content_type: str, *, kind: str) -> None:
    """A sender that names no media type is taken to send JSON; one that names another is refused."""
    if not essence(content_type) or is_json(content_type):
        return
    if kind in _TEXT_KINDS and essence(content_type) == "text/plain":
        return
    raise Rejected(
        "unsupported_media_type",
        f"{essence(content_type)[:80]} is not JSON; send the header Content-Type: application/json",
    )
