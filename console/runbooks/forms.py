"""What people fill in: a new runbook, its name, the steps of a draft, an act on a step."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from django import forms
from django.http import QueryDict

from console.runbooks.checklist import NOTE_LENGTH
from console.runbooks.editing import BLANK, Wording
from console.runbooks.models import Act, Runbook, Step
from console.runbooks.wording import MOST_STEPS


class NameForm(forms.Form):
    """Name and summary of a runbook."""

    name = forms.CharField(
        max_length=120, label="Name", help_text="What it is for, such as “GPU pool reclaimed”."
    )
    summary = forms.CharField(
        max_length=300, required=False, label="Summary", help_text="One sentence for the list."
    )


class NewRunbookForm(NameForm):
    """A runbook to be written."""

    copy_of = forms.ModelChoiceField(
        queryset=Runbook.objects.none(),
        required=False,
        label="Begin with",
        empty_label="An empty step",
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        choices = Runbook.objects.in_use().filter(versions__published_at__isnull=False).distinct()
        self.fields["copy_of"].queryset = choices.order_by("-is_default", "name", "pk")  # type: ignore[attr-defined]
        self.fields["copy_of"].label_from_instance = lambda runbook: f"The steps of {runbook.name}"  # type: ignore[attr-defined]


class ActForm(forms.Form):
    """What somebody does with a step."""

    act = forms.ChoiceField(choices=Act.choices)
    text = forms.CharField(max_length=NOTE_LENGTH, required=False)


@dataclass(frozen=True, slots=True)
class Editor:
    """The posted editor: the steps in their order, what the writer started from, and which button was pressed."""

    wording: Wording
    change_note: str = ""
    focus: int | None = None
    """The step (from 0) whose title takes the focus."""

    @classmethod
    def of(cls, post: QueryDict) -> Editor:
        """Reads whatever was posted; what is wrong with it is found by saving."""
        count = min(_number(post.get("steps", "")), MOST_STEPS + 1)
        steps = [
            Step(
                title=post.get(f"step-{at}-title", ""),
                body=post.get(f"step-{at}-body", ""),
                is_required=f"step-{at}-required" in post,
            )
            for at in range(count)
        ]
        wording = Wording(_number(post.get("number", "")), _number(post.get("revision", "")), steps)
        return cls(wording, change_note=post.get("change_note", "")[:300])

    def rearranged(self, press: str) -> Editor:
        """After `add`, `remove-2`, `up-2` or `down-2`; anything else changes nothing."""
        steps = list(self.wording.steps)
        if press == "add":
            return self._with([*steps, Step(**BLANK)], focus=len(steps))
        found = re.fullmatch(r"(remove|up|down)-(\d{1,3})", press)
        if found is None or not (at := int(found[2])) < len(steps):
            return self
        if found[1] == "remove":
            return self._with(steps[:at] + steps[at + 1 :], focus=min(at, len(steps) - 2))
        there = at - 1 if found[1] == "up" else at + 1
        if not 0 <= there < len(steps):
            return self
        steps[at], steps[there] = steps[there], steps[at]
        return self._with(steps, focus=there)

    def _with(self, steps: list[Step], *, focus: int) -> Editor:
        return replace(self, wording=replace(self.wording, steps=steps), focus=focus)


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,6}", text) else 0
