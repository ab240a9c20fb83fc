"""Factories of runbooks, written through the same acts as in the console."""

from __future__ import annotations

from itertools import count
from typing import Any

from console.accounts.audit import Actor
from console.runbooks import editing
from console.runbooks.editing import Wording
from console.runbooks.models import Execution, Runbook, RunbookVersion, Step
from tests.make_accounts import make_user
from tests.make_fleet import NOON

_numbers = count(1)


def make_step(title: str = "", body: str = "Look.", *, is_required: bool = True) -> Step:
    return Step(title=title or f"Step {next(_numbers)}", body=body, is_required=is_required)


def make_runbook(*steps: Step, **fields: Any) -> Runbook:
    """Published as version 1 with the steps given (or two), unless `is_published=False`."""
    is_published = fields.pop("is_published", True)
    by = fields.pop("by", None) or make_writer()
    name = fields.pop("name", f"Runbook {next(_numbers)}")
    runbook = editing.create(name, by=by, now=NOON, **fields)
    wording = Wording(1, 1, steps or (make_step(), make_step()))
    if is_published:
        editing.publish(runbook, wording, change_note="First.", by=by, now=NOON)
    elif steps:
        editing.save_draft(runbook, wording, by=by, now=NOON)
    return runbook


def publish_next(runbook: Runbook, *steps: Step, change_note: str = "Better.") -> RunbookVersion:
    """The next version of a published runbook that has no draft."""
    wording = Wording(editing.to_edit(runbook).number, 0, steps)
    return editing.publish(runbook, wording, change_note=change_note, by=make_writer(), now=NOON)


def make_writer(name: str = "", **fields: Any) -> Actor:
    return Actor.person(make_user(name, **({"role": "manager"} | fields)))


def make_execution(*steps: Step, **fields: Any) -> Execution:
    """A checklist of a runbook of its own, with the steps given (or two)."""
    runbook = make_runbook(*steps)
    version = runbook.versions.get()
    return Execution.objects.create(**({"version": version, "started_at": NOON} | fields))


__all__ = ["make_execution", "make_runbook", "make_step", "make_writer", "publish_next"]
