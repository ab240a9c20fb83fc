"""The boards are tested in a browser, on the whole console."""

from __future__ import annotations

from tests.browsing import chromium, console_port, sender, sit, worker

__all__ = ["chromium", "console_port", "sender", "sit", "worker"]
