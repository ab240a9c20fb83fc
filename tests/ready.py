"""A console's folder whose database is made already, copied for tests that start consoles of their own.

Making all tables takes longer than most of what such a test looks at; it is done once a run, whichever worker
needs it first.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from console.config.embedded.servers import EmbeddedServers
from console.config.installation import BASE_DIR

VAR_OF_THIS_RUN = (
    "CONSOLE_VAR_OF_THIS_TEST_RUN"  # set by the process that starts the servers, for its workers
)


def make_ready(var: Path) -> None:
    """Let `var`, which is not there yet, be the folder of a console that was started before and stopped."""
    here = Path(os.environ[VAR_OF_THIS_RUN])
    with (here / "ready.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (here / "ready").exists():
            _migrate(here / "making")
            (here / "making").rename(here / "ready")
    subprocess.run(["cp", "-a", str(here / "ready"), str(var)], check=True)


def _migrate(var: Path) -> None:
    servers = EmbeddedServers(var)
    addresses = servers.start()
    try:
        env = {name: value for name, value in os.environ.items() if not name.startswith("CONSOLE_")}
        env |= {"DATABASE_URL": addresses.database, "CELERY_BROKER_URL": addresses.broker}
        env |= {"CONSOLE_VAR": str(var), "DJANGO_SETTINGS_MODULE": "console.config.settings"}
        command = [sys.executable, "manage.py", "migrate", "-v", "0"]
        subprocess.run(command, env=env, cwd=BASE_DIR, check=True, timeout=120)
    finally:
        servers.stop()
