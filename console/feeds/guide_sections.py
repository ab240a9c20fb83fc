"""What connect guides are made of: sections with things to copy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """Something to copy: `file` is its template under `feeds/snippets/`. With a file name it can be saved as well."""

    file: str
    label: str
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One way to connect, or one step of it."""

    title: str
    text: str
    snippets: tuple[Snippet, ...] = ()
