"""SNS: its signature opens a feed that expects the topic, and its confirmations are answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime

import msgspec

from console.feeds.normalised import Rejected
from console.feeds.signatures import (
    SnsMessage,
    check_certificate_url,
    check_sns,
    check_subscribe_url,
    is_sns_host,
    read_sns,
)
from console.ingest.directory import KnownFeed
from console.ingest.senders.documents import Documents, Fetch
from console.lib.outgoing import CannotFetch, fetch

logger = logging.getLogger(__name__)

TYPE = "x-amz-sns-message-type"
TOPIC = "x-amz-sns-topic-arn"
CERTIFICATE_FOR = 24 * 3600.0


class _Enveloped(msgspec.Struct, kw_only=True):
    topic_arn: object = msgspec.field(name="TopicArn", default=None)


_TOPIC = msgspec.json.Decoder(_Enveloped)


def is_signed(feed: KnownFeed, headers: Mapping[str, str], *, secret: str) -> bool:
    """Whether the signature, not a secret, is to say who sends."""
    return feed.kind == "aws-sns" and not secret and TYPE in headers and bool(feed.settings.topic_arns)


class Sns:
    def __init__(self, fetch: Fetch = fetch) -> None:
        self._fetch = fetch
        self._certificates = Documents(fetch)

    async def check(self, feed: KnownFeed, body: bytes, *, now: datetime) -> SnsMessage:
        """The message, signed by SNS for a topic of this feed."""
        message = read_sns(body)
        check_topic(feed, message.topic_arn)
        url = check_certificate_url(message.signing_cert_url)
        try:
            certificate = await self._certificates.get(url, is_allowed=is_sns_host, max_age=CERTIFICATE_FOR)
        except CannotFetch as error:
            raise Rejected(
                "unauthenticated", f"The certificate that signed this cannot be had: {error}."
            ) from None
        check_sns(message, certificate=certificate, now=now)
        return message

    async def handshake(
        self, feed: KnownFeed, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> dict[str, object] | None:
        """The answer to a confirmation; None for anything else. A secret is no leave to fetch an address."""
        kind = headers.get(TYPE, "")
        if feed.kind != "aws-sns" or kind not in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
            return None
        message = await self.check(feed, body, now=now)
        said = {"topic": message.topic_arn, "feed": feed.slug}
        if message.type == "UnsubscribeConfirmation":
            logger.warning("sns.unsubscribed", extra=said)
            return {"unsubscribed": message.topic_arn}
        if message.type != "SubscriptionConfirmation":
            return None
        url = check_subscribe_url(message.subscribe_url)
        try:
            await asyncio.to_thread(self._fetch, url, is_allowed=is_sns_host)
        except CannotFetch as error:
            logger.warning("sns.not_confirmed", extra=said | {"error": str(error)})
            raise Rejected("forbidden_sender", f"The subscription cannot be confirmed: {error}.") from None
        logger.info("sns.confirmed", extra=said)
        return {"confirmed": message.topic_arn}


def check_enveloped_topic(feed: KnownFeed, headers: Mapping[str, str], body: bytes) -> None:
    """A sender with the secret may still only relay the topics named, where some are."""
    if not feed.settings.topic_arns or TYPE not in headers:
        return
    said = headers.get(TOPIC) or topic_in(body)
    if said is not None:
        check_topic(feed, said)


def topic_in(body: bytes) -> str | None:
    try:
        said = _TOPIC.decode(body).topic_arn
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return said if isinstance(said, str) else None


def check_topic(feed: KnownFeed, topic_arn: str) -> None:
    if topic_arn not in feed.settings.topic_arns:
        raise Rejected(
            "forbidden_sender",
            f"The topic {topic_arn[:200]!r} may not post here. Add it in the feed's settings.",
        )
