"""Bytes as received, shown as text that a person can read. The bytes themselves are never changed."""

from __future__ import annotations

import json

MOST_SHOWN = 64 * 1024


def shown(body: bytes) -> str:
    """JSON indented, other text as it is, anything else in hex; cut after 64 KiB, saying so."""
    cut = body[:MOST_SHOWN]
    try:
        text = cut.decode()
    except UnicodeDecodeError:
        return cut[:4096].hex(" ") + ("\n…" if len(body) > 4096 else "")
    if len(body) > MOST_SHOWN:
        return f"{text}\n… {len(body) - MOST_SHOWN} more bytes"
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
