"""The embedded servers: real PostgreSQL, real Valkey, real kills."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from console.config.embedded import account
from console.config.embedded.addresses import Addresses, embedded_addresses
from console.config.embedded.servers import EmbeddedServers
from console.config.processes import CannotStart, still_running

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
HOLDER = """
import sys, time
from pathlib import Path
from console.config.embedded.servers import EmbeddedServers
EmbeddedServers(Path(sys.argv[1])).start()
print("ready", flush=True)
time.sleep(300)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="spot-test-", dir="/tmp"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


def write(addresses: Addresses, value: int) -> None:
    with psycopg.connect(addresses.database, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def kept(addresses: Addresses) -> list[int]:
    with psycopg.connect(addresses.database) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def test_what_was_written_is_there_after_a_stop_and_a_start(home: Path) -> None:
    servers = EmbeddedServers(home / "var")
    write(servers.start(), 1)
    servers.stop()
    assert not list((home / "var" / "run").glob("*.sock"))
    addresses = servers.start()
    assert kept(addresses) == [1]
    servers.stop()


def test_the_database_is_durable_and_listens_on_no_port(home: Path) -> None:
    servers = EmbeddedServers(home / "var", broker=False)
    with psycopg.connect(servers.start().database) as connection:
        names = ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses")
        shown = {name: connection.execute(f"SHOW {name}").fetchone() for name in names}  # type: ignore[arg-type]
        locale = connection.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'spot'"
        )
        assert locale.fetchone() == ("b", "C.UTF-8")
    servers.stop()
    assert list(shown.values()) == [("on",), ("on",), ("on",), ("",)]


def test_after_kill_9_of_the_holder_nothing_is_lost_and_nothing_is_left(home: Path) -> None:
    var = home / "var"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(var)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"ready\n"
    write(embedded_addresses(var), 7)
    children = psutil.Process(holder.pid).children(recursive=True)
    holder.kill()
    holder.wait()
    servers = EmbeddedServers(var)
    addresses = servers.start()
    assert kept(addresses) == [7]
    assert redis.Redis.from_url(addresses.cache).ping()
    assert still_running(children, within=5) == []
    servers.stop()
    holder.stdout.close()


def test_after_kill_9_of_postgres_itself_the_next_start_replays_its_log(home: Path) -> None:
    servers = EmbeddedServers(home / "var", broker=False)
    addresses = servers.start()
    write(addresses, 3)
    postmaster = int((home / "var" / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    servers.stop()
    assert kept(servers.start()) == [3]
    servers.stop()


def test_a_postmaster_without_a_supervisor_is_stopped_in_order_before_the_next_one(home: Path) -> None:
    first = EmbeddedServers(home / "var", broker=False)
    write(first.start(), 5)
    orphan = psutil.Process(int((home / "var" / "postgres" / "postmaster.pid").read_text().split()[0]))
    second = EmbeddedServers(home / "var", broker=False)
    assert kept(second.start()) == [5]
    assert still_running([orphan], within=0) == []
    assert "database system is shut down" in (home / "var" / "log" / "postgres.log").read_text()
    second.stop()
    first.stop()


def test_a_path_too_long_for_a_socket_still_works(home: Path) -> None:
    var = home / ("a long name " * 10) / "var"
    servers = EmbeddedServers(var)
    addresses = servers.start()
    write(addresses, 1)
    assert embedded_addresses(var) == addresses
    assert (var / "run").is_symlink()
    assert redis.Redis.from_url(addresses.cache).ping()
    servers.stop()
    shutil.rmtree((var / "run").readlink())


@needs_root
def test_as_root_the_servers_run_as_nobody(home: Path) -> None:
    servers = EmbeddedServers(home / "var")
    servers.start()
    nobody = pwd.getpwnam("nobody").pw_uid
    owners = {
        child.uids().effective
        for child in psutil.Process().children()
        if str(home) in " ".join(child.cmdline())
    }
    assert owners == {nobody}
    servers.stop()


@needs_root
def test_as_root_under_a_private_home_the_data_moves_to_where_nobody_can_go(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = home / "outside"
    monkeypatch.setattr(account, "OUTSIDE", outside)
    private = home / "private"
    private.mkdir(mode=0o700)
    servers = EmbeddedServers(private / "var")
    write(servers.start(), 2)
    servers.stop()
    data = (private / "var" / "postgres").readlink()
    assert data.is_relative_to(outside)
    assert kept(servers.start()) == [2]
    servers.stop()
    shutil.rmtree(data)
    with pytest.raises(CannotStart, match="which is gone"):
        servers.start()
    shutil.rmtree((private / "var" / "run").readlink())


def test_data_of_another_postgres_version_is_refused_in_one_sentence(home: Path) -> None:
    servers = EmbeddedServers(home / "var", broker=False)
    servers.start()
    servers.stop()
    (home / "var" / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match="was made by PostgreSQL 9 and this console brings 18"):
        servers.start()
