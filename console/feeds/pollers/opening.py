"""The one place where a vendor's library is loaded: in a process that polls, when it first needs it."""

from __future__ import annotations

from console.feeds.models import FeedKind
from console.feeds.pollers.source import Source, Wanted


def open_source(wanted: Wanted) -> Source:
    """A client for one queue or subscription. It asks nothing yet."""
    if wanted.kind == FeedKind.AWS_SQS:
        from console.feeds.pollers import sqs  # noqa: PLC0415  boto3 takes 40 MB

        return sqs.Queue(wanted)
    from console.feeds.pollers import pubsub  # noqa: PLC0415  beside the other

    return pubsub.Subscription(wanted)
