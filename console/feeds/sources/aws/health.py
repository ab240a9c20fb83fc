"""AWS Health: maintenance that will reach instances. It is shown on the machine and opens nothing."""

from __future__ import annotations

import re

from console.feeds import wire
from console.feeds.identifiers import check_account, check_instance_id, is_placeholder, usable
from console.feeds.normalised import Cause, Kind, MachineRef, Reading, Rejected
from console.feeds.sources.aws.event import Event, instance_in
from console.feeds.times import optional_time

_OTHER_RESOURCE = re.compile(r"(?!i-)[a-z]+(?:-[a-z]+)*-[0-9a-f]{8,17}")


def scheduled_change(event: Event) -> Reading:
    """One statement for each instance affected; other EC2 resources are of no interest."""
    if event.detail.get("service") != "EC2" or event.detail.get("eventTypeCategory") != "scheduledChange":
        return event.ignored()
    named = _instances(event)
    if named is None:
        return event.ignored()
    _ = event.occurred_at
    deadline_at = optional_time(event.detail.get("startTime"), field="detail.startTime")
    account, region = _place(event)
    base = _event_id(event, account=account)
    return event.accept(
        *(
            event.statement(
                Kind.INTERRUPTION_NOTICE,
                machine=MachineRef(
                    provider="aws",
                    account=account,
                    region=region,
                    instance_id=check_instance_id(name, provider="aws", field="detail.affectedEntities"),
                ),
                deadline_at=deadline_at,
                cause=Cause.MAINTENANCE,
                event_id=base if len(named) == 1 else f"{base}:{name}",
                message=event.text("eventTypeCode"),
            )
            for name in named
        )
    )


def _instances(event: Event) -> list[str] | None:
    """The ids affected, each once; None where only resources of other kinds are."""
    listed = event.detail.get("affectedEntities") or []
    if not isinstance(listed, list):
        raise Rejected("invalid_field", "detail.affectedEntities: must be a list")
    values = (entity.get("entityValue") for entity in listed if isinstance(entity, dict))
    texts = [text for value in values if isinstance(value, str) and (text := usable(value))]
    texts = texts or event.resources()
    named = list(dict.fromkeys(found for text in texts if (found := instance_in(text))))
    if named:
        return named
    if texts and all(_OTHER_RESOURCE.fullmatch(text.rpartition("/")[2]) for text in texts):
        return None
    raise Rejected("missing_instance_id", "detail.affectedEntities: no usable instance id")


def _place(event: Event) -> tuple[str, str | None]:
    """The account and region affected win over those the event was sent from."""
    affected = event.text("affectedAccount")
    region = event.text("eventRegion")
    if affected is None:
        account, sent_from = event.place
        return account, region or sent_from
    return (
        check_account(affected, provider="aws", field="detail.affectedAccount"),
        region or event.place_of(affected, event.envelope.region)[1],
    )


def _event_id(event: Event, *, account: str) -> str:
    """The communication, not the message: a backup region sends it again under another envelope id."""
    arn, communication = event.text("eventArn"), event.text("communicationId")
    if arn is None or communication is None or is_placeholder(communication):
        return wire.canonical_hash(event.raw)
    return wire.bounded_id(f"{arn}|{communication}|{account}|{event.text('page') or '1'}")
