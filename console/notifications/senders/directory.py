"""Which sender a kind has."""

from __future__ import annotations

from typing import Any

from console.notifications.models import ChannelKind, ContactKind
from console.notifications.senders import (
    email,
    gateway,
    null,
    opsgenie,
    pagerduty,
    slack,
    teams,
    webhook,
)
from console.notifications.senders.sender import Sender

SENDERS: dict[str, Sender[Any]] = {
    ChannelKind.NULL: null.SENDER,
    ChannelKind.EMAIL: email.SENDER,
    ContactKind.ACCOUNT: email.SENDER,
    ChannelKind.SLACK: slack.SENDER,
    ChannelKind.TEAMS: teams.SENDER,
    ChannelKind.PAGERDUTY: pagerduty.SENDER,
    ChannelKind.OPSGENIE: opsgenie.SENDER,
    ChannelKind.WEBHOOK: webhook.SENDER,
    ChannelKind.GATEWAY: gateway.SENDER,
}
