"""Working a checklist: start it, tick, untick, skip with a reason, note; and what its state is.

An execution is frozen to the version it started with. Marks are only ever added; the newest mark of a step
holds its state. Each verb locks the execution, so two people at once are one after the other, and doing the
same thing twice leaves one mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from console.accounts.audit import Actor, record
from console.fleet.models import Service
from console.lib.live import announce
from console.lib.origin import Origin
from console.lib.rows import fetch
from console.runbooks.default_runbook import default_version
from console.runbooks.models import Act, Execution, RunbookAttachment, RunbookVersion, StepMark, StepState

TOPIC = "checklist"
NOTE_LENGTH = 1000


class NotPossible(Exception):
    """This cannot be done with this step; the text says why."""


class NoSuchStep(Exception):
    """The version that is worked has no step of this number."""


def start(service: Service | None, *, origin: Origin | str, now: datetime) -> Execution:
    """Begin a checklist: the service's runbook as it is published now, or the default one."""
    return start_many([(service, origin)], now=now)[0]


def start_many(subjects: Sequence[tuple[Service | None, str]], *, now: datetime) -> list[Execution]:
    """Begin one for each (service, data origin), in four statements however many there are."""
    if not subjects:
        return []
    newest = _newest_versions([service.pk for service, _ in subjects if service is not None])
    default = default_version(now=now)
    return Execution.objects.bulk_create(
        Execution(
            origin=origin,
            service=service,
            version=newest.get(service.pk, default) if service else default,
            started_at=now,
        )
        for service, origin in subjects
    )


def _newest_versions(service_ids: Sequence[int]) -> dict[int, RunbookVersion]:
    """The newest published version of the runbook attached to each service that has one."""
    attachments = RunbookAttachment.objects.filter(service__in=service_ids, runbook__archived_at=None)
    runbook_of = dict(attachments.values_list("service_id", "runbook_id"))
    versions = RunbookVersion.objects.published().filter(runbook__in=set(runbook_of.values()))
    newest = {
        version.runbook_id: version
        for version in versions.order_by("runbook_id", "-number").distinct("runbook_id")
    }
    return {service: newest[runbook] for service, runbook in runbook_of.items() if runbook in newest}


def tick(execution_id: int, *, step: int, by: Actor, now: datetime) -> Execution:
    """The step is done."""
    return _mark(execution_id, _Wish(step, Act.TICK), by=by, now=now)


def untick(execution_id: int, *, step: int, by: Actor, now: datetime) -> Execution:
    """The step is open after all."""
    return _mark(execution_id, _Wish(step, Act.UNTICK), by=by, now=now)


def skip(execution_id: int, *, step: int, reason: str, by: Actor, now: datetime) -> Execution:
    """The step is not going to be done, and why."""
    return _mark(execution_id, _Wish(step, Act.SKIP, reason.strip()), by=by, now=now)


def note(execution_id: int, *, step: int, text: str, by: Actor, now: datetime) -> Execution:
    """Something worth knowing about the step; its state stays."""
    return _mark(execution_id, _Wish(step, Act.NOTE, text.strip()), by=by, now=now)


def act_on(execution_id: int, *, step: int, act: Act, text: str = "", by: Actor, now: datetime) -> Execution:
    """Any of the four, for pages and programs that name it. Tick and untick take no text."""
    wish = _Wish(step, act, text.strip() if act in NEEDS_TEXT else "")
    return _mark(execution_id, wish, by=by, now=now)


NEEDS_TEXT = {Act.SKIP: "Say why the step is skipped.", Act.NOTE: "Write what is worth knowing."}
STATE_AFTER = {Act.TICK: StepState.DONE, Act.UNTICK: StepState.OPEN, Act.SKIP: StepState.SKIPPED}


@dataclass(frozen=True, slots=True)
class _Wish:
    step: int
    act: Act
    text: str = ""

    def check(self, execution: Execution) -> None:
        count = len(execution.version.steps)
        if not 1 <= self.step <= count:
            raise NoSuchStep(f"{execution.version} has {count} steps.")
        if self.act in NEEDS_TEXT and not self.text:
            raise NotPossible(NEEDS_TEXT[self.act])
        if len(self.text) > NOTE_LENGTH:
            raise NotPossible(f"At most {NOTE_LENGTH:,} characters; this has {len(self.text):,}.")

    def changes_nothing(self, last: StepMark | None, *, by_id: int | None) -> bool:
        """Whether it was done already: the second click, the other person a moment ago, the repeated call."""
        state = last.state if last else StepState.OPEN
        if self.act == Act.NOTE:
            return last is not None and (last.act, last.note, last.by_id) == (self.act, self.text, by_id)
        if self.act == Act.SKIP:
            return last is not None and state == StepState.SKIPPED and last.note == self.text
        return state == STATE_AFTER[self.act]


@transaction.atomic
def _mark(execution_id: int, wish: _Wish, *, by: Actor, now: datetime) -> Execution:
    execution = (
        Execution.objects.select_for_update(of=("self",))
        .select_related("version__runbook")
        .get(pk=execution_id)
    )
    wish.check(execution)
    last = execution.marks.filter(step=wish.step).order_by("-pk").first()
    if wish.changes_nothing(last, by_id=by.person_id):
        return execution
    before = last.state if last else StepState.OPEN.value
    mark = StepMark.objects.create(
        execution=execution,
        step=wish.step,
        act=wish.act,
        state=STATE_AFTER.get(wish.act, before),
        note=wish.text,
        by_id=by.person_id,
        by_label="" if by.person_id else by.label,
        at=now,
    )
    _settle(execution, now=now)
    _record(execution, mark, before=before, by=by, now=now)
    announce(TOPIC, ids=[execution.pk])
    return execution


def _settle(execution: Execution, *, now: datetime) -> None:
    """Finished while no required step is open (no step at all, where none is required)."""
    states = _states(execution)
    steps = execution.version.steps
    required = [n for n, step in enumerate(steps, 1) if step["is_required"]] or range(1, len(steps) + 1)
    is_finished = all(states.get(number, StepState.OPEN) != StepState.OPEN for number in required)
    if is_finished != (execution.finished_at is not None):
        execution.finished_at = now if is_finished else None
        execution.save(update_fields=["finished_at"])


def _states(execution: Execution) -> dict[int, str]:
    newest = execution.marks.order_by("step", "-pk").distinct("step")
    return dict(newest.values_list("step", "state"))


def _record(execution: Execution, mark: StepMark, *, before: str, by: Actor, now: datetime) -> None:
    title = execution.version.steps[mark.step - 1]["title"]
    told = {"step": mark.step, "title": title, "state": mark.state}
    record(
        by,
        action=f"checklist.{mark.act}",
        subject=execution,
        before={"step": mark.step, "title": title, "state": before},
        after=told | ({"text": mark.note} if mark.note else {}),
        now=now,
    )


class Progress(NamedTuple):
    """How far a checklist is."""

    done: int
    skipped: int
    total: int

    @property
    def settled(self) -> int:
        """Steps that nobody has to look at any more."""
        return self.done + self.skipped


def progress(execution_ids: Iterable[int]) -> dict[int, Progress]:
    """By execution, in one query however many there are."""
    rows = fetch(PROGRESS, [list(execution_ids)])
    return {pk: Progress(done, skipped, total) for pk, done, skipped, total in rows}


PROGRESS = """
SELECT execution.id,
       count(*) FILTER (WHERE newest.state = 'done'),
       count(*) FILTER (WHERE newest.state = 'skipped'),
       jsonb_array_length(version.steps)
FROM runbooks_execution execution
JOIN runbooks_runbookversion version ON version.id = execution.version_id
LEFT JOIN LATERAL (
    SELECT DISTINCT ON (mark.step) mark.state
    FROM runbooks_stepmark mark WHERE mark.execution_id = execution.id
    ORDER BY mark.step, mark.id DESC
) newest ON TRUE
WHERE execution.id = ANY(%s)
GROUP BY execution.id, version.id
"""


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a checklist being worked."""

    number: int
    title: str
    body: str
    is_required: bool
    state: str = StepState.OPEN
    changed: StepMark | None = None
    """The mark that brought it into its state: who and when. None: nobody touched it."""
    notes: Sequence[StepMark] = ()
    """Notes, oldest first."""
    marks: Sequence[StepMark] = field(default=(), repr=False)
    """Everything that was ever done with it, oldest first."""

    @property
    def is_open(self) -> bool:
        return self.state == StepState.OPEN


def state(execution: Execution) -> list[StepRow]:
    """The steps in order, each with its state, who brought it there and when, and its notes."""
    by_step: dict[int, list[StepMark]] = {}
    for mark in execution.marks.select_related("by").order_by("pk"):
        by_step.setdefault(mark.step, []).append(mark)
    return [
        _row(number, step["title"], step["body"], step["is_required"], by_step.get(number, []))
        for number, step in enumerate(execution.version.steps, 1)
    ]


def _row(number: int, title: str, body: str, is_required: bool, marks: list[StepMark]) -> StepRow:
    changes = [mark for mark in marks if mark.act != Act.NOTE]
    return StepRow(
        number=number,
        title=title,
        body=body,
        is_required=is_required,
        state=marks[-1].state if marks else StepState.OPEN,
        changed=changes[-1] if changes else None,
        notes=[mark for mark in marks if mark.act == Act.NOTE],
        marks=marks,
    )
