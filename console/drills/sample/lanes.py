"""Which way each message takes, and the message itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

AWS, SNS, RELAY, NODES, INVENTORY = "aws", "sns", "relay", "nodes", "inventory"
PUBSUB, METADATA = "pubsub", "metadata"
SCHEDULED, GRID = "scheduled", "grid"
CLUSTER, ALERTS = "cluster", "alerts"


@dataclass(frozen=True, slots=True)
class Post:
    """One message, the lane it takes, and when it is sent."""

    at: datetime
    lane: str
    body: dict[str, Any]
