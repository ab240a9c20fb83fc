"""What the operator sees of the children: one readable line each, or JSON for a collector."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

WIDTH = 8
BOLD, DIM, RED, YELLOW, PLAIN = "\033[1m", "\033[2m", "\033[31m", "\033[33m", "\033[0m"
LEVEL_COLOURS = {"warning": YELLOW, "error": RED, "critical": RED}
Show = Callable[[str, str], None]


def line_printer(*, is_json: bool, out: TextIO | None = None) -> Show:
    stream = out or sys.stdout
    if is_json:
        return lambda name, line: _write(stream, as_json(name, line))
    is_coloured = stream.isatty()
    return lambda name, line: _write(stream, as_text(name, line, is_coloured=is_coloured))


def as_text(name: str, line: str, *, is_coloured: bool) -> str:
    """`web      warning feed.silent feed=aws`; lines that are not ours pass as they are."""
    record = _record(line)
    level = str(record.pop("level", "")) if record else ""
    text = _sentence(record) if record else line
    if not is_coloured:
        return f"{name:<{WIDTH}} {level + ' ' if level else ''}{text}"
    colour = LEVEL_COLOURS.get(level, DIM)
    return f"{DIM}{name:<{WIDTH}}{PLAIN} {f'{colour}{level}{PLAIN} ' if level else ''}{text}"


def as_json(name: str, line: str) -> str:
    record = _record(line) or {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": "info",
        "event": line,
    }
    return json.dumps({"process": name, **record}, ensure_ascii=False)


def _record(line: str) -> dict[str, object]:
    if not line.startswith('{"at"'):
        return {}
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _sentence(record: dict[str, object]) -> str:
    error = record.pop("error", None)
    head = [str(record.pop(key)) for key in ("at", "logger", "event") if key in record]
    text = " ".join([*head, *(f"{key}={value}" for key, value in record.items())])
    return f"{text}\n{error}" if error else text


def _write(stream: TextIO, line: str) -> None:
    stream.write(line + "\n")
    stream.flush()
