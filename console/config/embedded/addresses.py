"""Where the embedded database and broker of one `CONSOLE_VAR` listen, and the secret kept beside them.

Settings read this in every process, so it imports nothing heavy and starts nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
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


def local_secret(var: Path) -> str:
    """The secret of an installation that was given none: made once, kept readable to its owner alone."""
    path = var / "secret_key"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text("ascii").strip()
    var.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"secret_key.{secrets.token_hex(8)}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(48) + "\n", "ascii")
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(fresh)  # never replaces: of two processes that start at once, the first one wins
    fresh.unlink()
    return path.read_text("ascii").strip()
