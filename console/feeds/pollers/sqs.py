"""SQS, long polled with boto3, which honours `AWS_ENDPOINT_URL` and finds the machine's own credentials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from console.feeds.pollers import aws_session
from console.feeds.pollers.source import HELD_FOR, CannotPoll, Message, Wanted

WAIT = 20
MOST = 10
"""Messages of one fetch, and of one delete: the limit of SQS."""
_OLD_HOST = ".queue.amazonaws.com"


class Queue:
    """One queue, with the feed's own access key, the role it names, or what the machine has."""

    most = MOST

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._region = region_of(wanted)
        self._client: Any = None
        self._renew_at: datetime | None = None

    def fetch(self) -> list[Message]:
        def ask() -> list[Message]:
            answer = self._sqs().receive_message(
                QueueUrl=self._wanted.address,
                MaxNumberOfMessages=MOST,
                WaitTimeSeconds=WAIT,
                VisibilityTimeout=HELD_FOR,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            return [_message(one) for one in answer.get("Messages", ())]

        return aws_session.asking(ask)

    def keep(self, messages: Sequence[Message]) -> None:
        self._change(messages, seconds=HELD_FOR)

    def release(self, messages: Sequence[Message]) -> None:
        self._change(messages, seconds=0)

    def delete(self, messages: Sequence[Message]) -> None:
        answers = aws_session.asking(
            lambda: [
                self._sqs().delete_message_batch(QueueUrl=self._wanted.address, Entries=_entries(part))
                for part in _parts(messages)
            ]
        )
        failed = [failure for answer in answers for failure in answer.get("Failed", ())]
        if failed:
            raise CannotPoll(
                f"SQS did not delete {len(failed)} messages: {failed[0].get('Code', 'no reason')}"
            )

    def _change(self, messages: Sequence[Message], *, seconds: int) -> None:
        def ask() -> None:
            for part in _parts(messages):
                entries = [entry | {"VisibilityTimeout": seconds} for entry in _entries(part)]
                self._sqs().change_message_visibility_batch(QueueUrl=self._wanted.address, Entries=entries)

        aws_session.asking(ask)

    def _sqs(self) -> Any:
        """The client. That of an assumed role is made anew before its credentials end."""
        with _MAKING:
            if self._renew_at is not None and datetime.now(UTC) >= self._renew_at:
                self._client = None
            if self._client is None:
                opened = aws_session.open_session(
                    self._wanted.settings,
                    secret=self._wanted.secret("secret_access_key"),
                    role_arn=self._wanted.settings.role_arn,
                    region=self._region,
                )
                self._client, self._renew_at = opened.client("sqs", patience=WAIT + 10), opened.renew_at
            return self._client


_MAKING = RLock()
"""Clients are used by any number of threads, but a session makes them one at a time."""


def region_of(wanted: Wanted) -> str:
    """It stands in the queue's address: `sqs.eu-west-1.amazonaws.com`, or `eu-west-1.queue.amazonaws.com`."""
    host = wanted.address.split("/")[2]
    return host.removesuffix(_OLD_HOST) if host.endswith(_OLD_HOST) else host.split(".")[1]


def _message(one: dict[str, Any]) -> Message:
    count = one.get("Attributes", {}).get("ApproximateReceiveCount", "1")
    return Message(one["Body"].encode(), one["ReceiptHandle"], int(count))


def _entries(messages: Sequence[Message]) -> list[dict[str, Any]]:
    return [{"Id": str(place), "ReceiptHandle": one.handle} for place, one in enumerate(messages)]


def _parts(messages: Sequence[Message]) -> list[Sequence[Message]]:
    return [messages[start : start + MOST] for start in range(0, len(messages), MOST)]
