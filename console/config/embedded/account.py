"""Which system user runs the embedded servers, and which directories that user can reach.

PostgreSQL refuses to run as root, so root runs both servers as `nobody` (or as whoever already owns the
data). `nobody` cannot enter a directory under a 0700 home. Then the data moves to `/var/lib/spot-console`
and the sockets to a fresh directory under `/tmp`, and `var` holds a link to each in their stead.
"""

from __future__ import annotations

import os
import pwd
import re
import stat
import tempfile
from pathlib import Path

from console.config.processes import Account, CannotStart

LONGEST_SOCKET_DIRECTORY = 107 - len("/.s.PGSQL.5432")  # of the 108 bytes in sockaddr_un, one is the NUL
PLAIN_PATH = re.compile(r"[\w./+-]+", re.ASCII)  # needs quoting in no URL
OUTSIDE = Path("/var/lib/spot-console")


def account_for(data: Path) -> Account:
    if os.geteuid() != 0:
        return Account()
    if data.is_dir() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise CannotStart("PostgreSQL does not run as root, and there is no user 'nobody' here.") from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def can_enter(path: Path, account: Account) -> bool:
    """Whether the account may walk down to `path`, judged by the mode bits of it and all its parents."""
    resolved = path.resolve()
    return account.uid is None or all(_may_search(part, account) for part in (resolved, *resolved.parents))


def _may_search(directory: Path, account: Account) -> bool:
    status = directory.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def open_socket_directory(var: Path, account: Account) -> Path:
    """`var/run`, or a fresh private directory under `/tmp` that `var/run` links to."""
    run = var / "run"
    fits = len(os.fsencode(run)) <= LONGEST_SOCKET_DIRECTORY and PLAIN_PATH.fullmatch(str(run))
    if fits and can_enter(var, account) and not run.is_symlink():
        return _private(run, account)
    if run.is_symlink() and _is_ours(run.readlink(), account):
        return run.readlink()
    fresh = Path(tempfile.mkdtemp(prefix="spot-console-", dir="/tmp"))
    _replace_by_link(run, fresh)
    return _private(fresh, account)


def open_data_directory(var: Path, account: Account) -> Path:
    """`var/postgres`, or a directory outside that it links to; what is there already stays where it is."""
    data = var / "postgres"
    if data.is_symlink():
        if not data.is_dir():
            raise CannotStart(
                f"{data} links to {data.readlink()}, which is gone: restore it or delete the link."
            )
        return data.readlink()
    if can_enter(var, account):
        return data
    if data.is_dir():
        raise CannotStart(f"The database in {data} cannot be reached by the user who owns it.")
    return _place_outside(data)


def _place_outside(data: Path) -> Path:
    try:
        OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="data-", dir=OUTSIDE))
    except OSError as error:
        raise CannotStart(
            f"As root, the database needs a directory that every user may enter: {data.parent} is none and "
            f"{OUTSIDE} cannot be made ({error.strerror}); set CONSOLE_VAR to one that is."
        ) from error
    fresh.chmod(0o755)
    target = fresh / "postgres"
    target.mkdir(mode=0o700)
    _replace_by_link(data, target)
    return target


def _private(directory: Path, account: Account) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    account.own(directory)
    directory.chmod(0o700)
    return directory


def _is_ours(directory: Path, account: Account) -> bool:
    owner = os.geteuid() if account.uid is None else account.uid
    return directory.is_dir() and not directory.is_symlink() and directory.stat().st_uid == owner


def _replace_by_link(path: Path, target: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.is_dir():
        for stale in path.iterdir():
            stale.unlink()
        path.rmdir()
    path.symlink_to(target)
