"""Which vendor's poller a source needs. Its library is loaded when it first asks, in a process that polls."""

from __future__ import annotations

from console.feeds.models import FeedKind
from console.feeds.pollers import pubsub, sqs
from console.feeds.pollers.source import Source, Wanted


def open_source(wanted: Wanted) -> Source:
    """A client for one queue or subscription. It asks nothing yet."""
    return sqs.Queue(wanted) if wanted.kind == FeedKind.AWS_SQS else pubsub.Subscription(wanted)
