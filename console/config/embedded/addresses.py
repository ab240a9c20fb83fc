"""Where the embedded database and broker of one `CONSOLE_VAR` listen.

Settings read this in every process, so it imports nothing heavy and starts nothing.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import quote

ROLE = DATABASE = "spot"
POSTGRES_PORT = 5432
POSTGRES_SOCKET = f".s.PGSQL.{POSTGRES_PORT}"
VALKEY_SOCKET = "valkey.sock"


@dataclasses.dataclass(frozen=True)
class Addresses:
    database: str
    broker: str
    cache: str


def embedded_addresses(var: Path) -> Addresses:
    sockets = socket_directory(var)
    valkey = sockets / VALKEY_SOCKET
    return Addresses(
        database=f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(sockets), safe='')}&port={POSTGRES_PORT}",
        broker=f"redis+socket://{valkey}?virtual_host=0",
        cache=f"unix://{valkey}?db=1",
    )


def socket_directory(var: Path) -> Path:
    """`var/run`, or what it links to: a start-up that cannot use `var/run` itself leaves a link there."""
    run = var.absolute() / "run"
    return run.readlink() if run.is_symlink() else run
