"""Columns found by their letters and digits, and what a format is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.costs.models import FileFormat
from console.costs.values import text_of

FocusRow = dict[str, str]
"""FOCUS column names with what the row holds; what it does not hold is not there."""
Row = Sequence[str | None]
Translate = Callable[[Row], FocusRow]


def plain(name: str) -> str:
    """Lower-case letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Columns:
    """The columns of one file: where each is, by its plain name."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.plain = tuple(plain(name) for name in names)
        self._at = {name: at for at, name in reversed(list(enumerate(self.plain)))}

    def __contains__(self, name: str) -> bool:
        return plain(name) in self._at

    def twice(self) -> str:
        """A column that is there more than once, or nothing."""
        seen: set[str] = set()
        for name, short in zip(self.names, self.plain, strict=True):
            if short and short in seen:
                return name
            seen.add(short)
        return ""

    def read(self, row: Row, name: str) -> str:
        """What `row` holds in the column of that plain name; empty where either is not there."""
        at = self._at.get(name)
        return "" if at is None else text_of(row[at])

    def first(self, row: Row, *names: str) -> str:
        """The first of these columns that holds something."""
        return next((found for name in names if (found := self.read(row, name))), "")


@dataclass(frozen=True, slots=True)
class Format:
    """One provider's way to write a bill."""

    kind: FileFormat
    needs: frozenset[str]
    """Plain names of the columns that it is known by."""
    translate: Callable[[Columns, str], Translate]
    """Given the columns and the file's name: how a row becomes FOCUS."""
    other_needs: frozenset[str] = frozenset()
    """A second set that it is known by."""
    kind_of: Callable[[str], FileFormat] | None = None
    """The exact kind by the file's name, where the columns do not tell."""

    @property
    def label(self) -> str:
        return self.kind.label

    def missing(self, columns: Columns) -> set[str]:
        lacking = {name for name in self.needs if name not in columns}
        if lacking and self.other_needs and all(name in columns for name in self.other_needs):
            return set()
        return lacking

    def kind_named(self, file_name: str) -> FileFormat:
        return self.kind_of(file_name) if self.kind_of else self.kind


def present(row: dict[str, str]) -> FocusRow:
    """Without what is empty."""
    return {name: value for name, value in row.items() if value}
