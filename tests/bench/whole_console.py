"""A whole embedded console in a directory of its own, as `manage.py up` runs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

BASE_DIR = Path(__file__).resolve().parents[2]
EMAIL, PASSWORD = "admin@example.com", "correct-horse-battery-staple"
READY_WITHIN = 120.0
OURS = ("DATABASE_URL", "DATABASE_LISTEN_URL", "CELERY_BROKER_URL", "CONSOLE_URL", "HOST", "SECRET_KEY")
"""What would make it less than a console of its own."""


@dataclass(frozen=True, slots=True)
class WholeConsole:
    url: str
    var: Path
    pid: int
    environ: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """What a management command prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=BASE_DIR, env=self.environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]}: {done.stderr or done.stdout}")
        return done.stdout

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all it started."""
        supervisor = psutil.Process(self.pid)
        return [supervisor, *supervisor.children(recursive=True)]


@contextmanager
def whole_console(*, sample: bool = False) -> Iterator[WholeConsole]:
    """Ready when it is given; stopped and forgotten afterwards."""
    home = Path(tempfile.mkdtemp(prefix="spot-up-", dir="/tmp"))
    home.chmod(0o755)
    port = _free_port()
    environ = {name: value for name, value in os.environ.items() if name not in OURS} | {
        "PORT": str(port),
        "CONSOLE_VAR": str(home / "var"),
        "CONSOLE_SAMPLE": "1" if sample else "0",
        "CONSOLE_ADMIN_EMAIL": EMAIL,
        "CONSOLE_ADMIN_PASSWORD": PASSWORD,
        "LOG_LEVEL": "WARNING",
    }
    log = home / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=BASE_DIR, env=environ, stdout=output, stderr=output
        )
    try:
        console = WholeConsole(f"http://127.0.0.1:{port}", home / "var", process.pid, environ)
        _wait_until_ready(console.url, process, log)
        yield console
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.25)
    raise TimeoutError(f"The console did not come up:\n{log.read_text(errors='replace')[-3000:]}")
