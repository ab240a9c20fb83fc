"""A file as it came made readable: unpacked, known to be whole, its kind and its fingerprint found.

Everything is streamed; nothing of the file is held in memory, and nothing of it is trusted.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
MOST_UNPACKED = 64 * 2**30
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotReadable(ValueError):
    """The file as a whole cannot be taken. The message says why and what to do; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is whole. `path` is what to read: the file itself, or what was packed in it."""

    path: Path
    name: str
    sha256: bytes
    """Of the file as it was given, packed or not."""
    size_bytes: int
    is_parquet: bool
    heading: tuple[str, ...]
    """The first two lines of a text file."""


def open_file(path: Path, *, name: str, work: Path) -> Opened:
    """Read the file once from end to end; what is unpacked goes into the folder `work`. Raises `NotReadable`."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        fingerprint, size = _fingerprint(path)
    except OSError as error:
        raise NotReadable(f"{name} cannot be read: {error.strerror}.") from error
    if size == 0:
        raise NotReadable(f"{name} is empty.")
    plain = path
    if magic.startswith(GZIP):
        plain = _unpack(path, name=name, to=work / f"{fingerprint.hex()[:16]}.unpacked")
        with plain.open("rb") as file:
            magic = file.read(4)
    is_parquet = magic == PARQUET
    heading = () if is_parquet else _check_text(plain, name=name)
    return Opened(plain, name, fingerprint, size, is_parquet, heading)


def _fingerprint(path: Path) -> tuple[bytes, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        for chunk in _chunks(file):
            digest.update(chunk)
            size += len(chunk)
    return digest.digest(), size


def _unpack(path: Path, *, name: str, to: Path) -> Path:
    size = 0
    try:
        with gzip.open(path, "rb") as packed, to.open("wb") as plain:
            for chunk in _chunks(packed):
                size += len(chunk)
                if size > MOST_UNPACKED:
                    raise NotReadable(f"{name} unpacks to more than {MOST_UNPACKED >> 30} GiB. Split it.")
                plain.write(chunk)
    except EOFError as error:
        raise NotReadable(f"{name} ends early: the upload or copy was cut off. Send it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise NotReadable(f"{name} is damaged and cannot be unpacked. Send it again.") from error
    if size == 0:
        raise NotReadable(f"{name} is empty once unpacked.")
    return to


def _check_text(path: Path, *, name: str) -> tuple[str, ...]:
    """That it is UTF-8 text to its end; its first two lines."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    head, quote_count = "", 0
    with path.open("rb") as file:
        for at, chunk in enumerate(_chunks(file)):
            if at == 0 and chunk.startswith(UTF16):
                raise NotReadable(f"{name} is UTF-16. Save it as “CSV UTF-8” and send it again.")
            quote_count += chunk.count(b'"')
            if b"\0" in chunk:
                raise NotReadable(f"{name} holds NUL bytes: it is neither CSV nor Parquet. Export it again.")
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise NotReadable(
                    f"{name} is not UTF-8 text. Save it as “CSV UTF-8” and send it again."
                ) from error
            head = text if at == 0 else head
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise NotReadable(f"{name} ends in the middle of a letter: it was cut off. Send it again.") from error
    lines = tuple(head.split("\n", 2)[:2])
    if quote_count % 2 and not lines[-1].startswith("#"):
        raise NotReadable(
            f"A quote in {name} is never closed: it was cut off or is damaged. Export it again."
        )
    return lines


def _chunks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk
