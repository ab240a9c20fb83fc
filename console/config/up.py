"""`manage.py up`: a whole console under one process, from nothing to an address, and back.

Runs outside Django, so that the process which lives longest is also the smallest.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from functools import partial

from console.config.embedded.servers import EmbeddedServers, start_server
from console.config.installation import Installation, is_answering
from console.config.ledger import Ledger
from console.config.output import Show, line_printer
from console.config.processes import CannotStart, Process
from console.config.supervisor import StopRequested, Supervisor

WEB_READY_WITHIN = 60.0
DEATHS_AT_START = 3


def main(environ: Mapping[str, str]) -> int:
    try:
        installation = Installation.from_environment(environ)
        installation.check_packages()
        ledger = Ledger(installation.var)
        ledger.take()
        try:
            _run(installation, ledger)
        finally:
            ledger.release()
    except CannotStart as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


def _run(installation: Installation, ledger: Ledger) -> None:
    show = line_printer(is_json=installation.is_log_json)
    supervisor = Supervisor(ledger=ledger, show=show)
    with supervisor.listening():
        try:
            for name in ledger.end_orphans():
                show("up", f"stopped {name}, left over from an earlier run")
            with installation.listen() as listener:
                _Start(installation, supervisor, show).everything(listener)
                supervisor.run(tend=partial(_call_watch, installation, supervisor))
                show("up", "stopping")
                supervisor.stop()
        except StopRequested:
            show("up", "stopping")
        finally:
            supervisor.stop()
    show("up", "stopped")


def _call_watch(installation: Installation, supervisor: Supervisor) -> None:
    """Started while a cluster is to be watched; it ends by itself, and a crash brings it back as any child."""
    if installation.is_watch_called_for and not supervisor.has("watch"):
        supervisor.start(installation.cluster_watch())


class _Start:
    """The steps of start-up, in order."""

    def __init__(self, installation: Installation, supervisor: Supervisor, show: Show) -> None:
        self._installation = installation
        self._supervisor = supervisor
        self._show = show

    def everything(self, listener: socket.socket) -> None:
        self._embedded_servers()
        self._database()
        self._supervisor.start(self._installation.hands())
        web = self._supervisor.start(self._installation.web(listener))
        sign_in = self._first_run()
        self._wait_for(web, listener)
        self._sample(listener)
        self._announce(sign_in)

    def _embedded_servers(self) -> None:
        wanted = EmbeddedServers(
            self._installation.var,
            database=self._installation.has_own_database,
            broker=self._installation.has_own_broker,
        )
        for server in wanted.servers:
            self._show("up", f"starting the embedded {server.name}")
            start_server(server, spawn=self._supervisor.start, discard=self._supervisor.forget)

    def _database(self) -> None:
        self._show("up", "bringing the database up to date")
        said: list[str] = []
        code = self._supervisor.run_once(
            self._installation.command("migrate", "prepare_database"), show=_one_behind(self._show, said)
        )
        if code != 0:
            raise CannotStart(said[-1] if said else "The database could not be prepared.")
        if said:
            self._show("migrate", said[-1])

    def _first_run(self) -> list[str]:
        """The first administrator's sign-in, to be shown once and together with the address."""
        if not self._installation.has_command("first_run"):
            return []
        said: list[str] = []
        code = self._supervisor.run_once(
            self._installation.command("first", "first_run"), show=lambda _, line: said.append(line)
        )
        if code != 0:
            raise CannotStart(said[-1] if said else "The first administrator could not be made.")
        return said

    def _wait_for(self, web: Process, listener: socket.socket) -> None:
        def is_decided() -> bool:
            return self._supervisor.deaths("web") >= DEATHS_AT_START or is_answering(listener)

        is_in_time = self._supervisor.wait_until(is_decided, within=WEB_READY_WITHIN)
        if not is_in_time or self._supervisor.deaths("web") >= DEATHS_AT_START:
            raise CannotStart("The web process does not come up; the lines above say why.")

    def _sample(self, listener: socket.socket) -> None:
        if self._installation.plays_sample:
            self._show("up", "playing the sample fleet; its banner on the pages stops and clears it")
            self._supervisor.start(self._installation.sample_player(listener))

    def _announce(self, sign_in: list[str]) -> None:
        lines = [f"Spot console is at {self._installation.url}", *sign_in, "Ctrl-C stops it."]
        if self._installation.is_log_json:
            for line in lines:
                self._show("up", line)
            return
        print("\n" + "\n".join(f"  {line}" for line in lines) + "\n", flush=True)


def _one_behind(show: Show, said: list[str]) -> Show:
    """Shows each line when the next one comes, so that the last can be told in another way."""

    def hear(name: str, line: str) -> None:
        if said:
            show(name, said[-1])
        said.append(line)

    return hear


if __name__ == "__main__":
    sys.exit(main(os.environ))
