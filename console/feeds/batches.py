"""Lists in an envelope of their own: an API's page of results, a forwarder's batch of records.

Each entry is one item, cut out as it was sent, so that a repeated poll is answered as duplicates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from console.feeds.sources.aws import sqs
from console.feeds.sources.gcp import operations
from console.feeds.sources.kubernetes import reader as kubernetes

_Raws = list[msgspec.Raw]


class _Scope(msgspec.Struct, kw_only=True):
    operations: _Raws = []


class _Page(msgspec.Struct, kw_only=True):
    kind: str
    items: _Raws | dict[str, _Scope]


class _Records(msgspec.Struct, kw_only=True):
    records: _Raws


class _Pulled(msgspec.Struct, kw_only=True):
    received: _Raws = msgspec.field(name="receivedMessages")


_PAGE = msgspec.json.Decoder(_Page)
_RECORDS = msgspec.json.Decoder(_Records)
_PULLED = msgspec.json.Decoder(_Pulled)


def _operations(body: bytes) -> _Raws:
    """A zone's list of operations, or the list of all zones."""
    page = _PAGE.decode(body)
    if page.kind not in operations.LISTS:
        raise msgspec.ValidationError("another kind of page")
    if isinstance(page.items, list):
        return page.items
    return [one for scope in page.items.values() for one in scope.operations]


_CUTTERS: Mapping[str, Callable[[bytes], _Raws]] = MappingProxyType(
    {
        "gcp-operations": _operations,
        "gcp-pubsub-pull": lambda body: _PULLED.decode(body).received,
        "azure-eventgrid": lambda body: _RECORDS.decode(body).records,
        "aws-sqs": sqs.records_in,
        "kubernetes": kubernetes.events_of,
        "kubernetes-watch": kubernetes.events_of,
    }
)


def entries(body: bytes, *, kind: str) -> list[bytes] | None:
    """The entries of such a list; None where the body is something else, or no JSON at all."""
    cut = _CUTTERS.get(kind)
    if cut is None:
        return None
    try:
        return [bytes(entry) for entry in cut(body)]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
