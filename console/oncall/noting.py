"""Leaving a hand-off note for the next shift."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from console.accounts.audit import Actor, record
from console.lib.live import announce
from console.oncall.models import HandOffNote, Rotation

MOST_LETTERS = 4_000


class NothingSaid(Exception):
    """The note is empty, or too long."""


@transaction.atomic
def leave_note(rotation: Rotation, text: str, *, by: Actor, now: datetime) -> HandOffNote:
    said = text.strip()
    if not said or len(said) > MOST_LETTERS or "\0" in said:
        raise NothingSaid(f"A note needs some text, at most {MOST_LETTERS:,} letters.")
    label = "" if by.person_id else by.label
    note = HandOffNote.objects.create(
        rotation=rotation, at=now, by_id=by.person_id, by_label=label, text=said
    )
    record(by, action="rotation.note", subject=rotation, after={"text": said[:200]}, now=now)
    announce("shifts")
    return note
