"""`python -m tests.bench [name …]`: measure on a database of its own, one JSON object a line.

Every figure is a ratio within one run, against a floor measured on the same disk and cores moments before.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from console.config.embedded.servers import EmbeddedServers


def main() -> int:
    """0 if every figure is within its limit."""
    home = Path(tempfile.mkdtemp(prefix="spot-bench-", dir="/tmp"))
    home.chmod(0o755)
    servers = EmbeddedServers(home / "var")
    os.environ |= {"CONSOLE_VAR": str(home / "var"), "DJANGO_SETTINGS_MODULE": "console.config.settings"}
    addresses = servers.start()
    os.environ |= {
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": addresses.database,
        "CELERY_BROKER_URL": addresses.broker,
    }
    try:
        from tests.bench import run  # noqa: PLC0415 - settings read the environment made above

        return run.measure(sys.argv[1:])
    finally:
        servers.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
