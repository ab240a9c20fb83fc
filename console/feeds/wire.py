"""JSON as it comes over the wire: checked, cut into items byte for byte, hashed, and made safe to store."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Never, TypeVar

import msgspec

from console.feeds.normalised import NormalisedEvent, Rejected

T = TypeVar("T")

MAX_DEPTH = 32
MAX_EVENT_ID = 255
MAX_MESSAGE = 4000
_MAX_BRACKETS_TO_WALK = 100_000

_RAW = msgspec.json.Decoder(msgspec.Raw)
_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ANYTHING = msgspec.json.Decoder()
_CANONICAL = msgspec.json.Encoder(order="sorted")

# A string without an end runs to the end of the text: reading stays linear whatever is sent.
_STRING_PATTERN = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+'
_STRING = re.compile(_STRING_PATTERN, re.DOTALL)
_TOKEN = re.compile(_STRING_PATTERN + rb"|[\[\]{},]", re.DOTALL)
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ONE_KIND_OF_BRACKET = bytes.maketrans(b"{}", b"[]")


def check_json(raw: bytes) -> None:
    """Refuses what is not one JSON document of bearable depth in UTF-8."""
    check_utf8(raw)
    try:
        _RAW.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise malformed(error) from None
    if is_too_deep(raw):
        raise malformed(RecursionError())


def check_utf8(raw: bytes) -> None:
    if raw.isascii():
        return
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise Rejected("malformed_json", f"not UTF-8 at byte {error.start}") from None


def malformed(error: Exception) -> Rejected:
    if isinstance(error, RecursionError):
        return Rejected("malformed_json", f"nested deeper than the limit of {MAX_DEPTH} levels")
    return Rejected("malformed_json", str(error).removeprefix("JSON is malformed: "))


def is_too_deep(raw: bytes) -> bool:
    """Each pass takes the innermost pairs away, so text of depth n is empty after n passes."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", raw).translate(_ONE_KIND_OF_BRACKET, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def decode(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The document in the shape asked for; wrong types are named with their place."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise Rejected("invalid_field", _as_sentence(str(error))) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise malformed(error) from None


def _as_sentence(error: str) -> str:
    """ "Expected `str`, got `int` - at `$.a.b`" becomes "a.b: expected `str`, got `int`"."""
    said, _, place = error.partition(" - at `$")
    place = place.strip("`.")
    return f"{place}: {said[0].lower()}{said[1:]}" if place else said


def split_array(body: bytes) -> list[bytes]:
    """The items of a JSON array, cut out as they were sent."""
    try:
        return [bytes(item) for item in _RAW_LIST.decode(body)]
    except (msgspec.DecodeError, RecursionError) as error:
        if _is_broken(body, error):
            raise malformed(error) from None
    return list(_cut(body))


def _is_broken(body: bytes, error: Exception) -> bool:
    """False where the array itself is sound and only an item is too deep or holds half a character."""
    if body.count(b"[") + body.count(b"{") > _MAX_BRACKETS_TO_WALK:
        return True
    if isinstance(error, RecursionError):
        return False
    try:
        json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        return False
    except ValueError:
        return True
    return False


def _refuse_constant(name: str) -> Never:
    raise ValueError(name)


def _cut(body: bytes) -> Iterator[bytes]:
    depth, start = 0, 0
    for token in _TOKEN.finditer(body):
        mark = token.group()
        if mark in (b"[", b"{"):
            depth += 1
            start = token.end() if depth == 1 else start
        elif mark in (b"]", b"}"):
            depth -= 1
        if (depth == 1 and mark == b",") or depth == 0:
            yield body[start : token.start()].strip()
            start = token.end()
        if depth <= 0:
            break
    if depth != 0 or body[start:].strip():
        raise Rejected("malformed_json", "the array does not end where the body ends")


def canonical_hash(raw: bytes) -> str:
    """The same for the same content, however its keys are ordered and spaced."""
    try:
        canonical = _CANONICAL.encode(_ANYTHING.decode(raw))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        canonical = raw
    return hashlib.blake2b(canonical, digest_size=20).hexdigest()


def bounded_id(event_id: str) -> str:
    """An id too long for an index is replaced by its hash, which tells messages apart as well."""
    if len(event_id) <= MAX_EVENT_ID:
        return event_id
    return hashlib.blake2b(event_id.encode(), digest_size=20).hexdigest()


def delivery_id(raw: bytes, events: tuple[NormalisedEvent, ...]) -> str:
    """The id of its event where the item holds exactly one, else the hash of its canonical JSON."""
    return events[0].event_id if len(events) == 1 else canonical_hash(raw)


def plain_text(text: str, *, limit: int = MAX_MESSAGE) -> str:
    """Free text that PostgreSQL can hold. What is cut or replaced is still in the raw body."""
    return text[:limit].replace("\x00", "\ufffd")


_WORD = re.compile(rb"\s*([A-Za-z][A-Za-z:_-]{0,63})\s*")
_JSON_WORDS = frozenset({b"true", b"false", b"null"})


def quoted_word(raw: bytes) -> bytes:
    """A body of one bare word, as JSON text; anything else as it is."""
    match = _WORD.fullmatch(raw)
    if match is None or match.group(1) in _JSON_WORDS:
        return raw
    return b'"%s"' % match.group(1)


def text_or_none(value: object, *, field: str) -> str | None:
    """An optional text, trimmed; None where it is absent or empty, refused where it is something else."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected("invalid_field", f"{field}: must be text")
    return value.strip() or None
