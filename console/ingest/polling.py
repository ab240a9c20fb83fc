"""Fetching feeds: what waits in queues and subscriptions is taken like what comes through the front door.

A source is fetched from, what came is stored, and only after the commit deleted; while each fetch brings as much
as it may, some do so at once. A process that dies in between has its messages given to another after `HELD_FOR`
seconds; those it had stored are duplicates then. Several processes may poll the same sources: the vendor gives
each message to one of them at a time.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from console.feeds.normalised import Rejected
from console.feeds.pollers.opening import open_source
from console.feeds.pollers.source import HELD_FOR, CannotPoll, Message, Source, Wanted
from console.ingest.directory import KnownFeed
from console.ingest.polled_sources import PolledSources
from console.ingest.store import StoreBusy, StoreUnavailable
from console.ingest.taking import Request, Taking

logger = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds. So soon a new feed is polled, and a paused one no more."""
TELL_EVERY = timedelta(seconds=10)
LONGEST_BACK_OFF = 60.0
POISON_AFTER = 5
"""So often a message is fetched and cannot be taken before it goes into quarantine."""
MOST_AT_ONCE = 200
"""Threads that wait for vendors."""
HELPERS = 3
"""So many more fetch from a source with a backlog: what takes long is the way to the vendor and back."""
HEADERS = {"content-type": "application/json"}
T = TypeVar("T")
Open = Callable[[Wanted], Source]


class Polling:
    """All sources of all feeds that are polled and not paused, each in a task of its own."""

    def __init__(self, pool: AsyncConnectionPool, *, open_source: Open = open_source) -> None:
        self._taking = Taking(pool)
        self._sources = PolledSources(pool)
        self._open = open_source
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="poll")
        self._pollers: dict[tuple[int, str], Poller] = {}

    async def run(self, stop: asyncio.Event) -> None:
        self._taking.start()
        try:
            while not stop.is_set():
                await self._follow()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        finally:
            for poller in self._pollers.values():
                poller.end()
            await asyncio.gather(*(poller.finish() for poller in self._pollers.values()))
            self._threads.shutdown(wait=False, cancel_futures=True)
            await self._taking.stop()

    async def _follow(self) -> None:
        """Poll what is wanted now and nothing else."""
        try:
            wanted = await self._sources.wanted()
        except (psycopg.Error, PoolTimeout, OSError) as error:
            logger.warning("polling.unknown", extra={"error": str(error)})
            return
        for key, poller in list(self._pollers.items()):
            if poller.is_done:
                del self._pollers[key]
            elif wanted.get(key) != (poller.feed, poller.wanted):
                poller.end()
        for key, (feed, one) in wanted.items():
            if key not in self._pollers:
                self._pollers[key] = Poller(
                    feed, one, taking=self._taking, sources=self._sources, threads=self._threads,
                    open_source=self._open,
                )  # fmt: skip


class Poller:
    """One source of one feed, for as long as it is wanted."""

    def __init__(
        self,
        feed: KnownFeed,
        wanted: Wanted,
        *,
        taking: Taking,
        sources: PolledSources,
        threads: ThreadPoolExecutor,
        open_source: Open,
    ) -> None:
        self.feed = feed
        self.wanted = wanted
        self._taking = taking
        self._sources = sources
        self._threads = threads
        self._open = open_source
        self._failures = 0
        self._told_at: datetime | None = None
        self._working = 0
        self._helpers: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._task = asyncio.create_task(self._poll_forever())

    @property
    def is_done(self) -> bool:
        return self._task.done() and not self._helpers

    def end(self) -> None:
        """Fetch no more. What is fetched already is stored; what comes still is given back."""
        self._ended.set()

    async def finish(self) -> None:
        """Wait for what is being stored, not for a long poll."""
        while self._working:
            await asyncio.sleep(0.02)
        hands = [self._task, *self._helpers]
        for hand in hands:
            hand.cancel()
        await asyncio.gather(*hands, return_exceptions=True)

    async def _poll_forever(self) -> None:
        source: Source | None = None
        while not self._ended.is_set():
            try:
                if source is None:
                    source = await self._call(self._open, self.wanted)
                await self._poll(source)
            except CannotPoll as error:
                await self._back_off(str(error))
            except (StoreBusy, StoreUnavailable, PoolTimeout, psycopg.Error, OSError) as error:
                await self._back_off(
                    f"The console's database does not answer: {error or type(error).__name__}"
                )
            except Exception as error:
                logger.exception("polling.failed", extra={"feed": self.feed.slug})
                await self._back_off(f"Fault of the console: {type(error).__name__}: {error}")

    async def _poll(self, source: Source) -> None:
        if await self._fetch(source) and len(self._helpers) < HELPERS:
            helper = asyncio.create_task(self._help(source))
            self._helpers.add(helper)
            helper.add_done_callback(self._helpers.discard)
        if not self._ended.is_set():
            await self._tell_of_success()

    async def _help(self, source: Source) -> None:
        """Fetch too, until there is no backlog. What goes wrong the one it helps will meet and tell of."""
        try:
            while not self._ended.is_set() and await self._fetch(source):
                pass
        except Exception as error:
            logger.info("polling.no_help", extra={"feed": self.feed.slug, "reason": str(error)[:300]})

    async def _fetch(self, source: Source) -> bool:
        """One fetch, and all there is to do with it. Whether it brought as much as it may."""
        messages = await self._call(source.fetch)
        if messages and self._ended.is_set():
            await self._call(source.release, messages)
            return False
        if messages:
            self._working += 1
            try:
                await self._work(source, messages)
            finally:
                self._working -= 1
        return len(messages) >= source.most

    async def _work(self, source: Source, messages: Sequence[Message]) -> None:
        """Store all, then delete those that were stored; the first failure is raised after that."""
        keeping = asyncio.create_task(self._keep(source, messages))
        try:
            outcomes = await asyncio.gather(*map(self._take, messages), return_exceptions=True)
        finally:
            keeping.cancel()
        failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        stored = [one for one, outcome in zip(messages, outcomes, strict=True) if outcome is None]
        if stored:
            await self._call(source.delete, stored)
        if failed:
            raise failed[0]

    async def _keep(self, source: Source, messages: Sequence[Message]) -> None:
        """As long as storing takes, nobody else is given these."""
        while True:
            await asyncio.sleep(HELD_FOR / 3)
            with suppress(CannotPoll):
                await self._call(source.keep, messages)

    async def _take(self, message: Message) -> None:
        """Returns once the message is on disk, as a delivery or in quarantine."""
        request = Request(feed=self.feed, headers=HEADERS, body=message.body, received_at=datetime.now(UTC))
        try:
            await self._taking.take(request)
        except (StoreBusy, StoreUnavailable, PoolTimeout, OSError):
            raise
        except Exception as error:
            if message.times_received < POISON_AFTER:
                raise
            reason = f"Fetched {message.times_received} times: {type(error).__name__}: {error}"
            logger.exception("polling.poison", extra={"feed": self.feed.slug})
            await self._taking.set_aside(request, Rejected("processing_error", reason[:500]))

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        """In a thread: a vendor's call blocks, a long poll for as long as nothing comes."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    # How it goes -------------------------------------------------------------------------------

    async def _tell_of_success(self) -> None:
        now = datetime.now(UTC)
        is_back = bool(self._failures)
        self._failures = 0
        if is_back or self._told_at is None or now - self._told_at >= TELL_EVERY:
            await self._sources.succeeded(self.feed.id, self.wanted.address, now=now)
            self._told_at = now

    async def _back_off(self, reason: str) -> None:
        """Twice as long each time, up to a minute, and never all at the same moment."""
        self._failures += 1
        seconds = min(2.0 ** min(self._failures - 1, 10), LONGEST_BACK_OFF) * random.uniform(0.75, 1.25)  # noqa: S311
        now = datetime.now(UTC)
        logger.warning("polling.refused", extra={"feed": self.feed.slug, "reason": reason[:300]})
        with suppress(psycopg.Error, PoolTimeout, OSError):
            await self._sources.failed(
                self.feed.id,
                self.wanted.address,
                reason=reason,
                retry_at=now + timedelta(seconds=seconds),
                now=now,
            )
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)
