"""Who runs on one `CONSOLE_VAR`: a lock for the supervisor, a list of its children for its successor."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import psutil

from console.config.processes import CannotStart, Process, end_orphan

ORPHANS_MAY_TAKE = 5.0


class Ledger:
    """The lock goes with the process that holds it, even by `kill -9`; the list stays for the next one."""

    def __init__(self, var: Path) -> None:
        self._lock_path = var / "up.lock"
        self._children_path = var / "children.json"
        self._lock: TextIO | None = None

    def take(self) -> None:
        try:
            self._lock_path.parent.mkdir(parents=True, exist_ok=True)
            lock = self._lock_path.open("a+", encoding="ascii")
        except OSError as error:
            raise CannotStart(
                f"Cannot write in {self._lock_path.parent} ({error.strerror}): set CONSOLE_VAR."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise CannotStart(
                f"Spot console already runs on {self._lock_path.parent} (process {holder}): stop it first, "
                f"or set CONSOLE_VAR to another directory."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def end_orphans(self) -> list[str]:
        """Stop what a killed supervisor left running, except servers that look after their own data."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            entries = json.loads(self._children_path.read_text("ascii"))
            return [
                entry["name"]
                for entry in entries
                if end_orphan(entry["pid"], created_at=entry["created_at"], within=ORPHANS_MAY_TAKE)
            ]
        return []

    def write(self, processes: Iterable[Process]) -> None:
        entries = []
        for process in processes:
            if process.child.is_own_keeper:
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                created_at = psutil.Process(process.pid).create_time()
                entries.append({"name": process.child.name, "pid": process.pid, "created_at": created_at})
        self._children_path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._children_path.with_suffix(".new")
        fresh.write_text(json.dumps(entries), "ascii")
        fresh.replace(self._children_path)

    def release(self) -> None:
        self._children_path.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None
