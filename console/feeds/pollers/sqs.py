"""SQS, long polled with boto3, which honours `AWS_ENDPOINT_URL` and finds the machine's own credentials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import RLock
from typing import Any, TypeVar

from console.feeds.pollers.source import HELD_FOR, CannotPoll, Message, Wanted

WAIT = 20
MOST = 10
"""Messages of one fetch, and of one delete: the limit of SQS."""
RENEW_BEFORE = timedelta(minutes=5)
SESSION_NAME = "spot-console"
_OLD_HOST = ".queue.amazonaws.com"
T = TypeVar("T")


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

        return _asking(ask)

    def keep(self, messages: Sequence[Message]) -> None:
        self._change(messages, seconds=HELD_FOR)

    def release(self, messages: Sequence[Message]) -> None:
        self._change(messages, seconds=0)

    def delete(self, messages: Sequence[Message]) -> None:
        answers = _asking(
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

        _asking(ask)

    def _sqs(self) -> Any:
        """The client. That of an assumed role is made anew before its credentials end."""
        with _MAKING:
            if self._renew_at is not None and datetime.now(UTC) >= self._renew_at:
                self._client = None
            if self._client is None:
                self._client = self._make("sqs", self._way_in())
            return self._client

    def _way_in(self) -> dict[str, str | None]:
        """The credentials of the feed's own key or of the role; none of both: those of the machine."""
        settings = self._wanted.settings
        own = {
            "aws_access_key_id": settings.access_key_id or None,
            "aws_secret_access_key": self._wanted.secret("secret_access_key") or None,
        }
        if not settings.role_arn:
            return own
        more = {"ExternalId": settings.external_id} if settings.external_id else {}
        answer = self._make("sts", own).assume_role(
            RoleArn=settings.role_arn, RoleSessionName=SESSION_NAME, **more
        )
        given = answer["Credentials"]
        self._renew_at = given["Expiration"] - RENEW_BEFORE
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def _make(self, service: str, way_in: dict[str, str | None]) -> Any:
        return _session().client(service, region_name=self._region, config=_calm(), **way_in)


_MAKING = RLock()
"""Clients are used by any number of threads, but a session makes them one at a time."""


@cache
def _session() -> Any:
    """One for all queues: what a session reads of AWS's services takes longer than all else about a client."""
    import boto3  # noqa: PLC0415  takes 40 MB: only where a queue is polled

    return boto3.Session()


def region_of(wanted: Wanted) -> str:
    """It stands in the queue's address: `sqs.eu-west-1.amazonaws.com`, or `eu-west-1.queue.amazonaws.com`."""
    host = wanted.address.split("/")[2]
    return host.removesuffix(_OLD_HOST) if host.endswith(_OLD_HOST) else host.split(".")[1]


def _calm() -> Any:
    from botocore.config import Config  # noqa: PLC0415

    return Config(
        connect_timeout=5, read_timeout=WAIT + 10, retries={"mode": "standard", "total_max_attempts": 2}
    )


def _message(one: dict[str, Any]) -> Message:
    count = one.get("Attributes", {}).get("ApproximateReceiveCount", "1")
    return Message(one["Body"].encode(), one["ReceiptHandle"], int(count))


def _entries(messages: Sequence[Message]) -> list[dict[str, Any]]:
    return [{"Id": str(place), "ReceiptHandle": one.handle} for place, one in enumerate(messages)]


def _parts(messages: Sequence[Message]) -> list[Sequence[Message]]:
    return [messages[start : start + MOST] for start in range(0, len(messages), MOST)]


def _asking(ask: Callable[[], T]) -> T:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        return ask()
    except ClientError as error:
        said = error.response.get("Error", {})
        raise CannotPoll(f"AWS answered {said.get('Code', 'an error')}: {said.get('Message', '')}") from error
    except (BotoCoreError, ValueError, OSError) as error:
        raise CannotPoll(f"AWS cannot be asked: {error}") from error
