"""Feeds, what they delivered, the slim queue between receiving and recording, and the quarantine."""

from console.feeds.models.delivery import Delivery, DeliveryKey, DeliveryResult, HeartbeatDelivery
from console.feeds.models.feed import (
    CANARY,
    MOST_PER_SECOND,
    Feed,
    FeedEvent,
    FeedEventKind,
    FeedHour,
    FeedKind,
    FeedQuerySet,
    FeedToken,
    FeedTokenQuerySet,
)
from console.feeds.models.lookup import LookupAnswer, LookupPlace, MachineLookup
from console.feeds.models.polled_source import PolledSource
from console.feeds.models.quarantine import (
    QuarantinedItem,
    QuarantinedItemQuerySet,
    QuarantineReplay,
    QuarantineState,
)
from console.feeds.models.queue import PipelineAttempt, PipelineStop, QueuedDelivery

__all__ = [
    "CANARY",
    "MOST_PER_SECOND",
    "Delivery",
    "DeliveryKey",
    "DeliveryResult",
    "Feed",
    "FeedEvent",
    "FeedEventKind",
    "FeedHour",
    "FeedKind",
    "FeedQuerySet",
    "FeedToken",
    "FeedTokenQuerySet",
    "HeartbeatDelivery",
    "LookupAnswer",
    "LookupPlace",
    "MachineLookup",
    "PipelineAttempt",
    "PipelineStop",
    "PolledSource",
    "QuarantineReplay",
    "QuarantineState",
    "QuarantinedItem",
    "QuarantinedItemQuerySet",
    "QueuedDelivery",
]
