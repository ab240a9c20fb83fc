"""The embedded PostgreSQL: made once, started on a unix socket alone, stopped in an orderly way."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil

from console.config.embedded.account import account_for, open_data_directory, open_socket_directory
from console.config.embedded.addresses import DATABASE, POSTGRES_PORT, ROLE
from console.config.embedded.binaries import postgres_programs
from console.config.processes import CannotStart, Child, still_running

# For a small box of two cores that runs the whole console beside it.
TUNING = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "min_wal_size": "64MB",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "2",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
THROW_AWAY = dict.fromkeys(DURABLE, "off")  # for tests: their data outlives nothing
ORPHAN_MAY_TAKE = 20.0


class Postgres:
    name = "postgres"

    def __init__(self, var: Path, *, is_throw_away: bool = False) -> None:
        self.var = var.absolute()
        self._durability = THROW_AWAY if is_throw_away else DURABLE
        self._is_throw_away = is_throw_away

    def prepare(self) -> None:
        self.account = account_for(self.var / "postgres")
        self.data = open_data_directory(self.var, self.account)
        self.sockets = open_socket_directory(self.var, self.account)
        self.programs = postgres_programs(self.var, self.account)
        self.log = self.var / "log" / "postgres.log"
        if not (self.data / "PG_VERSION").is_file():
            self._create()
        self._check_version()
        self._end_orphan()

    def child(self) -> Child:
        settings = TUNING | self._durability
        settings |= {"listen_addresses": "", "unix_socket_directories": str(self.sockets)}
        settings |= {"port": str(POSTGRES_PORT), "unix_socket_permissions": "0700"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Child(
            name=self.name,
            argv=[str(self.programs / "postgres"), "-D", str(self.data), *options],
            env={"LC_ALL": "C", "TZ": "UTC"},
            cwd=self.data,
            account=self.account,
            log=self.log,
            stop_signal=signal.SIGINT,  # "fast": roll back, write a checkpoint, leave
            stop_within=2.5,
            is_own_keeper=True,
        )

    def is_ready(self) -> bool:
        return self._run("pg_isready", "-q", "-t", "1", "-d", "postgres").returncode == 0

    def finish(self) -> None:
        """The console's role and database. Also after a start-up that was cut short before it made them."""
        if ROLE not in self._query("SELECT rolname FROM pg_roles").split():
            self._query(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
        if DATABASE not in self._query("SELECT datname FROM pg_database").split():
            self._query(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")

    def _create(self) -> None:
        """In a directory beside, renamed when whole: a half-made cluster is never taken for one."""
        fresh = self.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.account.own(fresh)
        made = self._execute(
            "initdb", "-D", str(fresh), "-U", "postgres", "-E", "UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth-local=trust",
            "--auth-host=reject", "--no-instructions", *(["--no-sync"] if self._is_throw_away else []),
            cwd=fresh,
        )  # fmt: skip
        if made.returncode != 0:
            raise CannotStart(f"The database could not be created in {self.data}: {_last_line(made.stderr)}")
        if self.data.is_dir():
            self.data.rmdir()
        fresh.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text("ascii").strip()
        ours = self._execute("postgres", "--version").stdout.split()[-1].split(".")[0]
        if found != ours:
            raise CannotStart(
                f"The database in {self.data} was made by PostgreSQL {found} and this console brings {ours}: "
                f"dump it with the console that made it, move the directory away, and load it again."
            )

    def _end_orphan(self) -> None:
        """A postmaster that outlived its supervisor still owns the data: let it finish, never kill it."""
        with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text("utf-8").splitlines()[0])
            postmaster = psutil.Process(pid)
            if postmaster.name() != "postgres" or Path(postmaster.cwd()) != self.data.resolve():
                return
            for number in (signal.SIGINT, signal.SIGQUIT):
                postmaster.send_signal(number)
                if not still_running([postmaster], within=ORPHAN_MAY_TAKE):
                    return
            raise CannotStart(
                f"An earlier PostgreSQL (process {pid}) still holds {self.data} and does not stop."
            )

    def _query(self, statement: str) -> str:
        answer = self._run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", statement
        )
        if answer.returncode != 0:
            raise CannotStart(f"The embedded database does not answer: {_last_line(answer.stderr)}")
        return answer.stdout.strip()

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._execute(
            program, "-h", str(self.sockets), "-p", str(POSTGRES_PORT), "-U", "postgres", *arguments
        )

    def _execute(
        self, program: str, *arguments: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.programs / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd or self.sockets,
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ.get("PATH", "")},
            user=self.account.uid,
            group=self.account.gid,
            extra_groups=self.account.extra_groups,
        )


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
