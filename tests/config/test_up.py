"""`manage.py up` as its operator meets it: one process, its lines, its exit code."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import psycopg
import pytest

from console.config.embedded.addresses import embedded_addresses
from console.config.installation import BASE_DIR, Installation
from console.config.processes import CannotStart, still_running
from tests.ready import make_ready

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
ADDRESS = "Spot console is at "


class Console:
    def __init__(self, var: Path, port: int, **environ: str) -> None:
        self.log = var.with_name("console.log")
        self._out = self.log.open("ab")
        clean = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
        }
        self.popen = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=BASE_DIR,
            env={**clean, "CONSOLE_VAR": str(var), "PORT": str(port), "CONSOLE_SAMPLE": "0", **environ},
            stdout=self._out,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, text: str, *, count: int = 1, within: float = 90) -> None:
        end = time.monotonic() + within
        while self.log.read_text().count(text) < count:
            assert self.popen.poll() is None, self.log.read_text()[-3000:] + self.error()
            assert time.monotonic() < end, self.log.read_text()[-3000:]
            time.sleep(0.1)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.popen.pid).children(recursive=True)

    def error(self) -> str:
        assert self.popen.stderr is not None
        return self.popen.stderr.read()

    def end(self) -> None:
        if self.popen.poll() is None:
            self.popen.terminate()
            self.popen.wait(20)
        self._out.close()
        if self.popen.stderr is not None:
            self.popen.stderr.close()


@pytest.fixture
def var() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="spot-test-", dir="/tmp"))
    home.chmod(0o755)
    yield home / "var"
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def used(var: Path) -> Path:
    """The folder of a console that ran before."""
    make_ready(var)
    return var


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until(is_done: Callable[[], bool], *, within: float) -> bool:
    end = time.monotonic() + within
    while not is_done():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def refusal(var: Path, port: int, **environ: str) -> str:
    console = Console(var, port, **environ)
    try:
        assert console.popen.wait(60) == 1
        return console.error()
    finally:
        console.end()


def is_one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith(".\n") and "Traceback" not in text


def test_the_console_comes_up_heals_and_stops_within_ten_seconds(var: Path, port: int) -> None:
    console = Console(var, port)
    try:
        console.wait_for(ADDRESS)
        family = console.family()
        assert {"postgres", "valkey-server"} <= {process.name() for process in family}
        web = next(process for process in family if "uvicorn" in process.cmdline())
        web.kill()
        console.wait_for("web was ended by SIGKILL; starting it again in 0.5 s")
        answer = _get(port)
        assert answer.startswith(b"HTTP/1.1 ")  # waited for the new process instead of being refused
        began = time.monotonic()
        console.popen.send_signal(signal.SIGTERM)
        assert console.popen.wait(15) == 0
        assert time.monotonic() - began < 10
        assert still_running(family, within=1) == []
    finally:
        console.end()


def _get(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        return connection.recv(100)


def test_after_kill_9_the_next_start_is_clean(used: Path, port: int) -> None:
    first = Console(used, port)
    first.wait_for(ADDRESS)
    family = first.family()
    first.popen.kill()
    first.popen.wait()
    second = Console(used, port)
    try:
        second.wait_for(ADDRESS, count=2)
        assert still_running(family, within=1) == []
        assert refusal(used, port).startswith(
            f"Spot console already runs on {used} (process {second.popen.pid})"
        )
    finally:
        second.end()
        first.end()


def test_killed_workers_and_beat_come_back(used: Path, port: int) -> None:
    console = Console(used, port)
    try:
        console.wait_for(ADDRESS)
        hands = next(process for process in console.family() if "console.config.hands" in process.cmdline())
        assert wait_until(lambda: len(hands.children()) == 3, within=20)
        hands.children()[0].kill()
        console.wait_for("worker was ended by SIGKILL; starting it again in 0.5 s")
        hands.kill()
        console.wait_for("hands was ended by SIGKILL; starting it again in 0.5 s")
        assert wait_until(lambda: len(_hands_of(console)) == 3, within=20)  # worker, notify, beat
    finally:
        console.end()


def _hands_of(console: Console) -> list[psutil.Process]:
    return [
        child
        for process in psutil.Process(console.popen.pid).children()
        if process.status() != psutil.STATUS_ZOMBIE and "console.config.hands" in process.cmdline()
        for child in process.children()
    ]


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_a_database_killed_under_the_console_comes_back(used: Path, port: int) -> None:
    console = Console(used, port)
    try:
        console.wait_for(ADDRESS)
        os.kill(int((used / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        console.wait_for("postgres was ended by SIGKILL")
        assert wait_until(lambda: _answers(embedded_addresses(used).database), within=20)
    finally:
        console.end()


def test_a_taken_port_is_one_sentence(var: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        text = refusal(var, port)
    assert is_one_sentence(text)
    assert text.startswith(f"Port {port} on 127.0.0.1 is taken")
    assert not (var / "postgres").exists()


def test_an_unreachable_database_is_one_sentence_without_the_password(var: Path, port: int) -> None:
    text = refusal(
        var,
        port,
        DATABASE_URL="postgresql://spot:hush@127.0.0.1:1/elsewhere",
        CELERY_BROKER_URL="redis://127.0.0.1:1/0",
    )
    assert is_one_sentence(text)
    assert text.startswith("The database elsewhere at 127.0.0.1 cannot be reached")
    assert "hush" not in text


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT=eighty is not a number from 1 to 65535."),
        ({"PORT": "70000"}, "PORT=70000 is not a number from 1 to 65535."),
        ({"CONSOLE_WORKERS": "0"}, "CONSOLE_WORKERS=0 is not a number from 1 to 64."),
    ],
)
def test_a_wrong_variable_is_named(environ: Mapping[str, str], sentence: str) -> None:
    with pytest.raises(CannotStart) as caught:
        Installation.from_environment(environ)
    assert str(caught.value) == sentence
