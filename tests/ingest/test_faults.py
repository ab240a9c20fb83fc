"""Kill -9 of the worker, the database, the broker in the middle of 5,000 deliveries: nothing lost or doubled."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from console.config.embedded.addresses import Addresses
from console.config.embedded.servers import EmbeddedServers
from console.config.installation import BASE_DIR
from tests.bench.messages import machine, warning
from tests.ready import make_ready

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

DELIVERIES = 5_000
AT_ONCE = 10
SENDERS = 6
SECRET = "sfeed_for-this-test-only"
MAKE_FEED = f"""
import django
django.setup()
from console.feeds.models import Feed, FeedToken
FeedToken.issue(Feed.objects.create(slug="aws", name="AWS", kind="aws-eventbridge"), secret="{SECRET}")
"""
WORKER = """
import time
import django
django.setup()
from django.db import close_old_connections
from console.config import celery
from console.alerts.tasks import alert
from console.ingest.tasks import record
while True:
    try:
        record()
        alert()
    except Exception:
        pass
    close_old_connections()  # as Celery does after each task
    time.sleep(0.05)
"""


@dataclass
class House:
    """The console's processes, each of which can be killed."""

    servers: EmbeddedServers
    addresses: Addresses
    listener: socket.socket
    env: dict[str, str]
    web: subprocess.Popen[bytes] | None = None
    worker: subprocess.Popen[bytes] | None = None
    accepted: set[int] = field(default_factory=set)

    def run(self, *argv: str) -> None:
        subprocess.run([sys.executable, *argv], env=self.env, cwd=BASE_DIR, check=True, timeout=90)

    def start_web(self) -> None:
        fd = self.listener.fileno()
        argv = ["-m", "uvicorn", "console.config.asgi:application", "--fd", str(fd), "--loop", "uvloop"]
        argv += ["--http", "httptools", "--lifespan", "on", "--no-access-log", "--log-level", "error"]
        self.web = subprocess.Popen([sys.executable, *argv], env=self.env, cwd=BASE_DIR, pass_fds=[fd])

    def start_worker(self) -> None:
        self.worker = subprocess.Popen([sys.executable, "-c", WORKER], env=self.env, cwd=BASE_DIR)

    def kill_worker(self) -> None:
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()
        self.start_worker()

    def kill_database(self) -> None:
        pid = int((self.servers.var / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=5)
        self.servers.stop()
        self.servers.start()

    def kill_broker(self) -> None:
        mine = [p for p in psutil.Process().children() if "valkey" in p.name()]
        (valkey,) = [p for p in mine if str(self.servers.var) in " ".join(p.cmdline())]
        valkey.kill()

    def end(self) -> None:
        for process in (self.worker, self.web):
            if process is not None:
                process.kill()
                process.wait()
        self.listener.close()
        self.servers.stop()

    def post(self, number: int) -> None:
        """As EventBridge does: again until it is answered with 2xx."""
        body = b"[" + b",".join(warning(n, "f") for n in range(number, number + AT_ONCE)) + b"]"
        head = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
        until = time.monotonic() + 90
        while time.monotonic() < until:
            try:
                caller = http.client.HTTPConnection("127.0.0.1", self.listener.getsockname()[1], timeout=30)
                caller.request("POST", "/ingest/aws", body, head)
                answer = caller.getresponse()
                said = json.loads(answer.read())
                caller.close()
                if answer.status == 202:
                    assert said["accepted"] + said["duplicates"] == AT_ONCE, said
                    self.accepted |= set(range(number, number + AT_ONCE))
                    return
                assert answer.status == 503, said
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.2)
        raise TimeoutError(f"message {number} was never taken")

    def get(self, path: str) -> int:
        """The status of one page."""
        caller = http.client.HTTPConnection("127.0.0.1", self.listener.getsockname()[1], timeout=30)
        caller.request("GET", path, headers={"Host": "localhost"})
        status = caller.getresponse().status
        caller.close()
        return status

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.addresses.database) as raw:
            return raw.execute(query).fetchall()  # type: ignore[arg-type]

    def wait_until_worked_off(self) -> None:
        until = time.monotonic() + 90
        queues = ("feeds_queueddelivery", "interruptions_interruptionchange")
        waiting = "SELECT " + " + ".join(f"(SELECT count(*) FROM {queue})" for queue in queues)
        while self.rows(waiting) != [(0,)]:
            assert time.monotonic() < until, self.rows(waiting)
            time.sleep(0.2)


@pytest.fixture
def house() -> Iterator[House]:
    home = Path(tempfile.mkdtemp(prefix="spot-test-", dir="/tmp"))
    home.chmod(0o755)
    make_ready(home / "var")
    servers = EmbeddedServers(home / "var")
    addresses = servers.start()
    env = {name: value for name, value in os.environ.items() if not name.startswith("CONSOLE_")}
    env |= {
        "CONSOLE_VAR": str(home / "var"),
        "DJANGO_SETTINGS_MODULE": "console.config.settings",
        "LOG_LEVEL": "ERROR",
    }
    env |= {
        "DATABASE_URL": addresses.database,
        "CELERY_BROKER_URL": addresses.broker,
        "CACHE_URL": addresses.cache,
    }
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    house = House(servers, addresses, listener, env)
    try:
        house.run("-c", MAKE_FEED)
        house.start_web()
        house.start_worker()
        yield house
    finally:
        house.end()
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.parametrize("victim", ["worker", "database", "broker"])
def test_kill_9_in_the_middle_of_5000_deliveries_loses_and_doubles_nothing(house: House, victim: str) -> None:
    numbers = range(0, DELIVERIES, AT_ONCE)
    with ThreadPoolExecutor(SENDERS) as senders:
        futures = [senders.submit(house.post, number) for number in numbers]
        for share in (4, 3, 2) if victim == "worker" else (2,):
            while len(house.accepted) < DELIVERIES // share:
                time.sleep(0.02)
            getattr(house, f"kill_{victim}")()
        for future in futures:
            future.result(timeout=120)
    house.wait_until_worked_off()

    assert house.accepted == set(range(DELIVERIES))
    stored = house.rows("SELECT body FROM feeds_delivery")
    assert sorted(json.loads(bytes(row[0]))["detail"]["instance-id"] for row in stored) == [  # type: ignore[call-overload]
        machine(n) for n in range(DELIVERIES)
    ]
    for table in (
        "interruptions_observation",
        "interruptions_interruption",
        "fleet_machine",
    ):
        assert house.rows(f"SELECT count(*) FROM {table}") == [(DELIVERIES,)], table
    reclaimed = house.rows(
        "SELECT m.instance_id FROM interruptions_interruption i JOIN fleet_machine m ON m.id = machine_id"
    )
    assert {row[0] for row in reclaimed} == {machine(n) for n in range(DELIVERIES)}
    assert house.rows(
        "SELECT count(*), sum(member_count) FROM alerts_alertgroup WHERE key LIKE 'service:%'"
    ) == [(1, DELIVERIES)]
    members = "alerts_groupmember m JOIN alerts_alertgroup g ON g.id = m.group_id AND g.key LIKE 'service:%'"
    assert house.rows(f"SELECT count(*) FROM {members}") == [(DELIVERIES,)]
    assert house.rows("SELECT sum(interruption_count) FROM interruptions_episode") == [(DELIVERIES,)]
    assert house.rows("SELECT count(*) FROM feeds_quarantineditem") == [(0,)]


def test_after_a_restart_of_the_database_the_first_page_asked_is_answered(house: House) -> None:
    """Every connection that the pool holds is dead by then; nobody is to find that out by an error."""
    pages = ["/readyz", "/accounts/login/"] * 6
    with ThreadPoolExecutor(SENDERS) as visitors:
        assert set(visitors.map(house.get, pages)) == {200}
        house.kill_database()
        assert list(visitors.map(house.get, pages)) == [200] * len(pages)
    house.post(0)
    house.wait_until_worked_off()
    assert house.rows("SELECT count(*) FROM interruptions_interruption") == [(AT_ONCE,)]


def test_a_stored_message_rings_the_bell(house: House) -> None:
    assert house.worker is not None
    house.worker.kill()
    house.worker.wait()
    house.post(0)
    broker = redis.Redis.from_url(house.addresses.cache.replace("db=1", "db=0"))
    until = time.monotonic() + 10
    while not broker.llen("ingest"):
        assert time.monotonic() < until, "no bell was rung"
        time.sleep(0.1)
