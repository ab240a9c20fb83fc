"""A local SQS that speaks the real protocol, and a poller of the console beside it."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from django.conf import settings
from django.db import connection
from moto.server import ThreadedMotoServer
from moto.sqs.models import SQSBackend
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

from console.feeds.pollers.opening import open_source
from console.feeds.pollers.source import Source, Wanted
from console.ingest.polling import Polling

ACCOUNT = "123456789012"
REGION = "eu-west-1"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


_IN_TURN = threading.RLock()
_receive = SQSBackend.receive_message


def _receive_in_turn(backend: SQSBackend, name: str, count: int, wait: float, *rest: Any) -> list[Any]:
    """Waits as SQS does; only looking and taking happen in turn."""
    end = time.monotonic() + wait
    while True:
        with _IN_TURN:
            found: list[Any] = _receive(backend, name, count, 0, *rest)
        if found or time.monotonic() >= end:
            return found
        time.sleep(0.05)


def _in_turn(act: Callable[..., Any]) -> Callable[..., Any]:
    def one_at_a_time(*arguments: Any, **named: Any) -> Any:
        with _IN_TURN:
            return act(*arguments, **named)

    return one_at_a_time


def _take_turns() -> None:
    """The double looks whether a message is free and takes it in two steps, and deletes one by writing down all
    others: asked by several at once it would hand messages out twice and bring back deleted ones.
    """
    SQSBackend.receive_message = _receive_in_turn
    SQSBackend.is_message_valid_based_on_retention_period = lambda *_: (
        True
    )  # it counts the queue, thrice a message
    for name in ("send_message", "send_message_batch", "delete_message", "delete_message_batch",
                 "change_message_visibility", "change_message_visibility_batch"):  # fmt: skip
        setattr(SQSBackend, name, _in_turn(getattr(SQSBackend, name)))


_take_turns()


class Queues:
    """Queues of the double, by the address that the real one would have."""

    def __init__(self, endpoint: str) -> None:
        self.sqs: Any = boto3.client(
            "sqs", endpoint_url=endpoint, region_name=REGION, aws_access_key_id=KEY_ID,
            aws_secret_access_key=KEY,
        )  # fmt: skip
        self._urls: dict[str, str] = {}

    def make(self, name: str, **attributes: str) -> str:
        self._urls[name] = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"

    def send(self, name: str, bodies: Sequence[str]) -> None:
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(place), "MessageBody": body}
                for place, body in enumerate(bodies[start : start + 10])
            ]
            self.sqs.send_message_batch(QueueUrl=self._urls[name], Entries=entries)

    def left(self, name: str) -> int:
        """Waiting and handed out, together."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = self.sqs.get_queue_attributes(QueueUrl=self._urls[name], AttributeNames=names)
        return sum(int(asked["Attributes"][one]) for one in names)


@contextmanager
def double() -> Iterator[str]:
    """The address of a running double."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class Poller(threading.Thread):
    """One polling process, as a thread on this run's test database."""

    def __init__(self, open_source: Callable[[Wanted], Source] = open_source) -> None:
        super().__init__(daemon=True)
        self._url = make_conninfo(settings.DATABASE_URL, dbname=str(connection.settings_dict["NAME"]))
        self._open = open_source
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()

    def run(self) -> None:
        self._loop.run_until_complete(self._poll())

    async def _poll(self) -> None:
        async with AsyncConnectionPool(
            self._url, max_size=4, open=False, kwargs={"autocommit": True}
        ) as pool:
            await Polling(pool, open_source=self._open).run(self._over)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self.join(timeout=20)
        assert not self.is_alive()


@contextmanager
def polling(*, pollers: int = 1, open_source: Callable[[Wanted], Source] = open_source) -> Iterator[None]:
    running = [Poller(open_source) for _ in range(pollers)]
    for one in running:
        one.start()
    try:
        yield
    finally:
        for one in running:
            one.end()


def until(is_so: Callable[[], bool], *, within: float = 20.0) -> None:
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


def warning(number: int) -> str:
    """A spot warning as EventBridge writes it into a queue."""
    return json.dumps(
        {
            "version": "0",
            "id": f"7bf73129-1428-4cd3-a780-{number:012d}",
            "detail-type": "EC2 Spot Instance Interruption Warning",
            "source": "aws.ec2",
            "account": ACCOUNT,
            "time": "2026-03-11T12:00:00Z",
            "region": REGION,
            "resources": [f"arn:aws:ec2:{REGION}a:instance/i-{number:017x}"],
            "detail": {"instance-id": f"i-{number:017x}", "instance-action": "terminate"},
        }
    )
