"""What every sender is: fields that an administrator fills in, a check of them, and one call to the outside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from console.notifications.models import AttemptOutcome
from console.notifications.outgoing_message import OutgoingMessage

S = TypeVar("S")
MOST_WORDS = 480


class BadSetting(Exception):
    """A field cannot be used; the text says what to write instead."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class SendFailed(Exception):
    """It was not taken, in the provider's own words. Permanent: trying again cannot help."""

    def __init__(self, message: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message[:MOST_WORDS])
        self.permanent = permanent
        self.retry_after = retry_after
        """Seconds that the provider asks us to wait."""


class AnswerLost(Exception):
    """It was written, and no answer was heard: it may have arrived."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The provider has it; `delivered` only where its answer proves that the recipient has."""

    answer: str
    outcome: AttemptOutcome = AttemptOutcome.HANDED_OVER


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in."""

    name: str
    label: str
    help: str = ""
    is_secret: bool = False
    is_required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Sender(Generic[S]):
    """`read` makes typed settings of what was filled in, or raises `BadSetting`; `send` calls the provider once.

    `send` raises `SendFailed` or `AnswerLost`; any other exception is a fault of ours.
    """

    fields: tuple[Field, ...]
    read: Callable[[Mapping[str, str], Collection[str]], S]
    """The second argument: the hosts that an administrator allowed."""
    hint: Callable[[S], str]
    send: Callable[[OutgoingMessage, S, Collection[str]], Taken]
