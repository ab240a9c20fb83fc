"""The secret key of a console that was given none: made once, kept under `CONSOLE_VAR`."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def local_secret(var: Path) -> str:
    """Read the key of this console, or make it. Two processes that start at once agree on one."""
    path = var / "secret_key"
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        draft = var / f".secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # somebody else's key came first, and is the one to use
        finally:
            draft.unlink()
    return path.read_text().strip()
