"""The embedded Valkey: Celery's broker in database 0, the shared cache in database 1, nothing on disk."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from console.config.embedded.account import account_for, open_socket_directory
from console.config.embedded.addresses import VALKEY_SOCKET
from console.config.embedded.binaries import valkey_program
from console.config.processes import Child

OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "databases": "2",
    "save": "",  # bells and counters: all of it may be lost
    "appendonly": "no",
    "maxmemory": "64mb",
    "maxmemory-policy": "volatile-lru",  # when full, cached values go; a bell carries no expiry and stays
    "daemonize": "no",
    "loglevel": "warning",
}


class Valkey:
    name = "valkey"

    def __init__(self, var: Path) -> None:
        self.var = var.absolute()

    def prepare(self) -> None:
        self.account = account_for(self.var / "postgres")
        self.sockets = open_socket_directory(self.var, self.account)
        self.program = valkey_program(self.var, self.account)
        self.log = self.var / "log" / "valkey.log"

    def child(self) -> Child:
        options = {**OPTIONS, "dir": str(self.sockets), "unixsocket": str(self.sockets / VALKEY_SOCKET)}
        return Child(
            name=self.name,
            argv=[
                str(self.program),
                *(part for name, value in options.items() for part in (f"--{name}", value)),
            ],
            cwd=self.sockets,
            account=self.account,
            log=self.log,
            stop_within=0.5,
        )

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            probe.connect(str(self.sockets / VALKEY_SOCKET))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        return False

    def finish(self) -> None:
        """Nothing to make: it holds nothing."""
