"""What a step's text may be: its size, its variables, and what keeps a draft from being published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.lib.markdown import not_variables_in, variables_in
from console.runbooks.models import Step
from console.runbooks.variables import NAMES

MOST_STEPS = 50
TITLE_LENGTH = 160
BODY_LENGTH = 20_000


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that has to be mended first. Step 0 is the runbook as a whole."""

    step: int
    text: str


def cleaned(steps: Sequence[Step]) -> list[Step]:
    """The steps as they are stored: one kind of line end, nothing at the ends."""
    return [
        Step(
            title=" ".join(step["title"].split()),
            body=step["body"].replace("\r\n", "\n").replace("\x00", "").strip(),
            is_required=step["is_required"],
        )
        for step in steps
    ]


def sizes_at_fault(steps: Sequence[Step]) -> list[Fault]:
    """What not even a draft may be."""
    found = []
    if len(steps) > MOST_STEPS:
        found.append(Fault(0, f"A runbook has at most {MOST_STEPS} steps; this has {len(steps)}."))
    for number, step in enumerate(steps, 1):
        if len(step["title"]) > TITLE_LENGTH:
            text = f"A title has at most {TITLE_LENGTH} characters; this has {len(step['title'])}."
            found.append(Fault(number, text))
        if len(step["body"]) > BODY_LENGTH:
            text = f"A step has at most {BODY_LENGTH:,} characters; this has {len(step['body']):,}."
            found.append(Fault(number, text))
    return found


def faults(steps: Sequence[Step]) -> list[Fault]:
    """All that keeps these steps from being published."""
    found = sizes_at_fault(steps)
    if not steps:
        found.append(Fault(0, "A runbook needs at least one step."))
    for number, step in enumerate(steps, 1):
        if not step["title"]:
            found.append(Fault(number, "The step needs a title."))
        found += [Fault(number, text) for text in _variables_at_fault(f"{step['title']}\n{step['body']}")]
    return found


def _variables_at_fault(text: str) -> list[str]:
    known = ", ".join(NAMES)
    unknown = [f"{{{{ {name} }}}}" for name in variables_in(text) if name not in NAMES]
    odd = not_variables_in(text)
    return [
        f"{name} is not a variable. Known are: {known}. Write \\{{{{ where braces are meant."
        for name in [*unknown, *odd]
    ]
