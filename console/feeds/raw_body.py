"""Showing bytes that strangers sent: as text where they are text, else as hex; never more than a screen bears."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

MOST_SHOWN = 64 * 1024
_HEX_WIDTH = 16
_MOST_HEX = 4096
_TURNING = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""Characters that turn the direction of text round and could make it read as something else."""


@dataclass(frozen=True, slots=True)
class ShownBody:
    """`text` is safe to print; `formatted` is the same JSON with line breaks, where it is JSON."""

    size: int
    text: str
    formatted: str
    is_hex: bool
    is_cut: bool


def show_body(body: bytes) -> ShownBody:
    cut = body[:MOST_SHOWN]
    text = _as_text(cut, is_cut=len(body) > MOST_SHOWN)
    if text is None:
        return ShownBody(
            len(body), hex_lines(body[:_MOST_HEX]), "", is_hex=True, is_cut=len(body) > _MOST_HEX
        )
    formatted = "" if len(body) > MOST_SHOWN else _formatted(body)
    return ShownBody(
        len(body), plainly(text), plainly(formatted), is_hex=False, is_cut=len(body) > MOST_SHOWN
    )


def _as_text(cut: bytes, *, is_cut: bool) -> str | None:
    try:
        return cut.decode()
    except UnicodeDecodeError as error:
        is_half_character = is_cut and error.start >= len(cut) - 3
        return cut[: error.start].decode() if is_half_character else None


def _formatted(body: bytes) -> str:
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""


def plainly(text: str) -> str:
    """Control characters as their pictures, and direction marks as their numbers."""
    return "".join(
        char
        if char in "\n\t" or (ord(char) >= 0x20 and ord(char) != 0x7F and ord(char) not in _TURNING)
        else chr(0x2400 + ord(char)) if ord(char) < 0x20 else f"\\u{ord(char):04x}"
        for char in text
    )  # fmt: skip


def hex_lines(body: bytes) -> str:
    """`0010  7b 22 …  {"…`, sixteen bytes a line."""
    lines = []
    for start in range(0, len(body), _HEX_WIDTH):
        part = body[start : start + _HEX_WIDTH]
        readable = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        lines.append(f"{start:06x}  {part.hex(' '):<{_HEX_WIDTH * 3}} {readable}")
    return "\n".join(lines)
