"""Lengths of time in the words a reader takes in at a glance."""

from __future__ import annotations

from datetime import timedelta


def in_words(length: timedelta | float) -> str:
    """`850 ms`, `31 s`, `2 min 05 s`, `3 h 12 min`, `5 d 4 h`; a negative length is written with a minus."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if seconds < 0:
        return f"−{in_words(-seconds)}"
    if 0 < seconds < 1:
        return f"{max(1, int(seconds * 1000))} ms"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
