"""What a watcher on a node saw: a document as polled, and the node it was polled on.

No metadata service names its machine in what it answers, so a watcher posts a wrapper, for every provider
alike: `{"context": {...}, "path": "spot/instance-action", "body": <the document as polled>}`. A bare
document is taken where the feed's own settings say which machine it is about.

The time of such a statement is *observed*: when the watcher first saw this very value, else the receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from console.feeds import wire
from console.feeds.identifiers import PROVIDERS, check_account, check_instance_id, usable
from console.feeds.normalised import MachineRef, ParseContext, Reading, Rejected, Result
from console.feeds.times import optional_time

_PREFIXES = ("latest/meta-data/", "latest/dynamic/", "computeMetadata/v1/", "metadata/")
"""What stands before the part of the path that tells one document from another, provider by provider."""


class Wrapper(msgspec.Struct, kw_only=True):
    context: dict[str, object] | None = None
    path: str | None = None
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_WRAPPER = msgspec.json.Decoder(Wrapper)
_TEXTS = (
    "provider",
    "account",
    "region",
    "zone",
    "instance_id",
    "instance_type",
    "node_name",
    "resource_group",
    "cluster",
    "boot_id",
)


@dataclass(frozen=True, slots=True)
class Watched:
    """One polled document. `body` is JSON; `path` is None where the document came without a wrapper."""

    body: bytes
    path: str | None
    context: ParseContext
    received_at: datetime
    instance_type: str | None = None

    @property
    def observed_at(self) -> datetime:
        return self.context.first_seen_at or self.received_at

    def machine(self, provider: str) -> MachineRef:
        """The node it was polled on. An id that is there but elided does not fall back to the node's name."""
        context = self.context
        if context.provider is not None and context.provider != provider:
            raise Rejected(
                "invalid_field", f"context.provider: {context.provider[:40]!r} does not answer this path"
            )
        if context.instance_id is None and context.node_name is None:
            raise Rejected(
                "missing_instance_id",
                "context.instance_id: name the machine here, or by node_name; a bare body needs the feed's settings",
            )
        if context.account is not None:
            check_account(context.account, provider=provider, field="context.account")
        if context.instance_id is not None:
            check_instance_id(context.instance_id, provider=provider, field="context.instance_id")
        region = context.region
        if provider == "gcp" and region is None and context.zone is not None:
            region = context.zone.rpartition("-")[0] or None
        return MachineRef(
            provider=provider,
            account=context.account,
            region=region,
            zone=context.zone,
            instance_id=context.instance_id,
            instance_type=self.instance_type,
            node_name=context.node_name,
            cluster=context.cluster,
            boot_id=context.boot_id,
        )

    def event_id(self, machine: MachineRef) -> str:
        """The node, its boot and what was seen: each poll of one value is one statement.

        Without a boot id the time at which the watcher first saw the value tells one life from the next,
        and without that the day of receipt: a word as short as TRUE must not look like last month's.
        """
        context = self.context
        life = context.boot_id
        if life is None:
            since = context.first_seen_at
            life = since.isoformat() if since else self.received_at.date().isoformat()
        who = (machine.provider, machine.account, machine.identifier, life)
        return wire.canonical_hash(msgspec.json.encode((who, msgspec.Raw(self.body))))


def open_watched(raw: bytes, *, context: ParseContext, received_at: datetime) -> Watched:
    """The document in its wrapper, or a bare one. The wrapper wins over the feed's settings."""
    if not is_wrapped(raw):
        return Watched(raw, None, context, received_at)
    wrapper = wire.decode(raw, _WRAPPER)
    if wrapper.body is msgspec.UNSET:
        raise Rejected("invalid_field", "body: missing; send the document as polled")
    if wrapper.path is None or not wrapper.path.strip():
        raise Rejected("invalid_field", "path: missing; send the path that was polled")
    said = wrapper.context or {}
    return Watched(
        bytes(wrapper.body),
        plain_path(wrapper.path),
        _merged(said, context),
        received_at,
        instance_type=usable(_text(said, "instance_type")),
    )


def aside(raw: bytes, watched: Watched, *, paths: Sequence[str]) -> Reading | None:
    """The reading of what is relayed from another provider, or from a path that no table names."""
    provider = watched.context.provider
    if provider is not None and provider not in PROVIDERS:
        note = f"unknown provider {provider!r}"
    elif watched.path is not None and watched.path not in paths:
        note = f"unknown path {watched.path!r}"
    else:
        return None
    return Reading(
        delivery_id=wire.canonical_hash(raw),
        result=Result.UNRECOGNISED,
        note=wire.plain_text(note, limit=100),
    )


def is_wrapped(raw: bytes) -> bool:
    """Two of its three fields tell the wrapper: no metadata document has them."""
    if not raw.lstrip().startswith(b"{"):
        return False
    head = wire.decode(raw, _HEAD)
    return sum((head.body is not msgspec.UNSET, head.path is not None, head.context is not None)) > 1


class _Head(msgspec.Struct, kw_only=True):
    context: object = None
    path: object = None
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_HEAD = msgspec.json.Decoder(_Head)


def plain_path(path: str) -> str:
    """`/latest/meta-data/spot/instance-action?x=y` as `spot/instance-action`."""
    plain = path.partition("?")[0].strip().strip("/")
    for prefix in _PREFIXES:
        if plain.startswith(prefix):
            return plain.removeprefix(prefix)
    return plain


def is_path_among(path: object, paths: Sequence[str]) -> bool:
    """Whether a message that says `path` relays one of these documents."""
    return isinstance(path, str) and plain_path(path) in paths


def _merged(said: dict[str, object], context: ParseContext) -> ParseContext:
    given = {name: text for name in _TEXTS if (text := _text(said, name)) is not None}
    given.pop("instance_type", None)
    changes: dict[str, object] = {
        name: found for name, text in given.items() if (found := usable(text)) is not None
    }
    if "instance_id" in given and "instance_id" not in changes:
        raise Rejected("missing_instance_id", "context.instance_id: elided; send the whole id")
    first_seen_at = optional_time(said.get("first_seen_at"), field="context.first_seen_at")
    if first_seen_at is not None:
        changes["first_seen_at"] = first_seen_at
    return msgspec.structs.replace(context, **changes)


def _text(said: dict[str, object], name: str) -> str | None:
    return wire.text_or_none(said.get(name), field=f"context.{name}")
