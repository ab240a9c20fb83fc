"""The process that polls: one loop, one small pool, and the vendors' libraries once a feed needs them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from django.conf import settings
from psycopg_pool import AsyncConnectionPool

from console.ingest.polling import Polling


def main() -> None:
    """Never returns: threads may wait in a long poll, which nobody needs to hear the end of."""
    asyncio.run(_poll())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _poll() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pool = AsyncConnectionPool(
        settings.DATABASE_URL, min_size=1, max_size=4, open=False, timeout=5.0,
        kwargs={"autocommit": True}, check=AsyncConnectionPool.check_connection,
    )  # fmt: skip
    await pool.open(wait=False)
    try:
        await Polling(pool).run(stop)
    finally:
        await pool.close()
