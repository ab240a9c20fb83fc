"""Putting values from outside into a command that somebody will paste into a shell.

A value of plain characters does no harm anywhere. Any other is quoted where the command stands bare,
and left out where quoting cannot be trusted: inside quotes, here-documents, or what a second shell reads.
"""

from __future__ import annotations

import re
import shlex
from typing import Literal

PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@%+,=-]*\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
READ_TWICE = re.compile(
    r"`|<<|\$'|\$\(\(|\$\{|\b(?:eval|ssh|su|watch|xargs)\b|\b(?:ba|da|k|z)?sh\b[^\n]*\s-\w*c\b"
)
"""What makes a shell, or a second one, read words again: no quoting holds in there."""

Mode = Literal["bare", "single", "double", "comment"]


class ShellText:
    """Follows a command from its beginning and says how a value may be written at each point."""

    def __init__(self, command: str) -> None:
        self._is_read_twice = READ_TWICE.search(command) is not None
        self._mode: Mode = "bare"
        self._is_escaped = False
        self._before = "\n"

    def pass_over(self, text: str) -> None:
        for character in text:
            self._step(character)
            self._before = character

    def word(self, value: str) -> str | None:
        """`value` as it may stand here, or None where it could become something else than one word."""
        if PLAIN.match(value):
            return value
        if not value or value.startswith("-") or CONTROL.search(value):
            return None
        if self._mode != "bare" or self._is_read_twice or self._is_escaped:
            return None
        return shlex.quote(value)

    def _step(self, character: str) -> None:
        if self._is_escaped:
            self._is_escaped = False
        elif self._mode == "comment":
            self._mode = "bare" if character == "\n" else "comment"
        elif self._mode == "single":
            self._mode = "bare" if character == "'" else "single"
        elif character == "\\":
            self._is_escaped = True
        elif character == '"':
            self._mode = "bare" if self._mode == "double" else "double"
        elif self._mode == "bare":
            self._step_bare(character)

    def _step_bare(self, character: str) -> None:
        if character == "'":
            self._mode = "single"
        elif character == "#" and self._before in " \t\n;":
            self._mode = "comment"
