"""The pages are also used in a browser, on the whole console."""

from __future__ import annotations

from tests.browsing import chromium, console_port, sit

__all__ = ["chromium", "console_port", "sit"]
