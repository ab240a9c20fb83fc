"""The browser of this room's tests."""

from __future__ import annotations

from tests.browsing import chromium, console_port, sit

__all__ = ["chromium", "console_port", "sit"]
