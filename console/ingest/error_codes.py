"""Every code a message can be refused with, in words: what it means, and what to do (`docs/errors.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from console.feeds.normalised import REFUSALS


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """`advice` is for whoever looks after the sender or the console."""

    code: str
    meaning: str
    advice: str

    @property
    def status(self) -> int:
        return REFUSALS[self.code]


_ALL = (
    ErrorCode(
        "unauthenticated", "The secret, token or signature is missing, wrong or expired.",
        "Send the feed's secret, or what its settings ask for; the answer says what is wrong with a signature or"
        " token. If the secret is lost, rotate it on the feed's page. Nothing of such a message is kept.",
    ),
    ErrorCode(
        "forbidden_sender", "The secret is another feed's, or the topic, subscription or account may not post here.",
        "Post to the address of the feed that the secret belongs to, or name the sender in the feed's settings."
        " Nothing of such a message is kept.",
    ),
    ErrorCode(
        "too_large", "The body, the batch or a list in it is over its limit.",
        "Send less at a time: 1 MiB a body, 5,000 messages a batch. The answer names the limit.",
    ),
    ErrorCode(
        "unsupported_media_type", "The body is not JSON by its own word.",
        "Send the header Content-Type: application/json, and the body unpacked (no Content-Encoding).",
    ),
    ErrorCode(
        "malformed_json", "The body is not JSON, is cut short, or is nested too deeply.",
        "Look at the bytes: a proxy may have cut them, or a template of the sender may leave a value out.",
    ),
    ErrorCode(
        "missing_instance_id", "The message is about a machine and does not say which.",
        "If the sender cannot name it, wrap the message with its context; else correct the sender and discard this.",
    ),
    ErrorCode(
        "invalid_time", "A time is missing, empty or a placeholder.",
        "Published examples carry placeholders such as yyyy-mm-dd; real messages carry RFC 3339 times.",
    ),
    ErrorCode(
        "invalid_field", "A field has the wrong type or a value that cannot be.",
        "The detail names the field. If the sender is right, the console has to learn it: then replay this.",
    ),
    ErrorCode(
        "unsupported_version", "The message names a version of its format that is not read.",
        "Set the sender to the version that the detail names.",
    ),
    ErrorCode(
        "kind_not_available", "Feeds of this kind cannot be read yet.",
        "The messages are kept. Replay them once the console can read the kind.",
    ),
    ErrorCode(
        "processing_error", "The message was stored, and recording it failed.",
        "This is the console's fault, not the sender's. The detail says what failed; replay it after the fix.",
    ),
)  # fmt: skip

ERRORS: Mapping[str, ErrorCode] = MappingProxyType({error.code: error for error in _ALL})
