"""Start the embedded servers in order and stop them in reverse, alone (tests, benches) or under `up`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from console.config.embedded.addresses import Addresses, embedded_addresses
from console.config.embedded.postgres import Postgres
from console.config.embedded.valkey import Valkey
from console.config.processes import CannotStart, Child, Process

READY_WITHIN = 60.0  # crash recovery after a power cut replays at most `max_wal_size`
TRIES = 8
LARGEST_LOG = 5 * 1024 * 1024


class Server(Protocol):
    name: str
    log: Path

    def prepare(self) -> None: ...
    def child(self) -> Child: ...
    def is_ready(self) -> bool: ...
    def finish(self) -> None: ...


class EmbeddedServers:
    def __init__(
        self, var: Path, *, database: bool = True, broker: bool = True, is_throw_away: bool = False
    ) -> None:
        self.var = var.absolute()
        self.servers: list[Server] = []
        if database:
            self.servers.append(Postgres(self.var, is_throw_away=is_throw_away))
        if broker:
            self.servers.append(Valkey(self.var))
        self._processes: list[Process] = []

    def start(self) -> Addresses:
        self.var.mkdir(parents=True, exist_ok=True)
        try:
            for server in self.servers:
                self._processes.append(start_server(server, spawn=Process))
        except BaseException:
            self.stop()
            raise
        return embedded_addresses(self.var)

    def stop(self) -> None:
        while self._processes:
            self._processes.pop().end()


def start_server(
    server: Server, *, spawn: Callable[[Child], Process], discard: Callable[[Process], None] | None = None
) -> Process:
    """Tried again for some seconds: what a killed predecessor left in shared memory takes a moment to go."""
    server.prepare()
    _trim(server.log)
    for attempt in range(1, TRIES + 1):
        process = spawn(server.child())
        if _becomes_ready(server, process):
            server.finish()
            return process
        process.end()
        if discard:
            discard(process)
        if attempt < TRIES:
            time.sleep(0.25 * attempt)
    raise CannotStart(f"The embedded {server.name} does not start; its last words are in {server.log}.")


def _becomes_ready(server: Server, process: Process) -> bool:
    end = time.monotonic() + READY_WITHIN
    while process.poll() is None and time.monotonic() < end:
        if server.is_ready():
            return True
        time.sleep(0.05)
    return False


def _trim(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.is_file() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
