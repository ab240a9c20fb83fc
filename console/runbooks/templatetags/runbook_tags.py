"""A step's text as HTML, and what the checklist component needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django import template
from django.utils.safestring import SafeString

from console.lib.markdown import render
from console.runbooks.checklist import Progress, StepRow
from console.runbooks.models import StepState
from console.runbooks.variables import as_values, sealed

register = template.Library()


@register.filter
def step_text(body: str, variables: Mapping[str, object] | None = None) -> SafeString:
    """Markdown with its variables filled in; what is not known shows as ‹name›."""
    return render(body, values=as_values(variables))


@register.filter
def carried(variables: Mapping[str, object] | None) -> str:
    """The variables as a hidden field carries them through a form and back."""
    return sealed(as_values(variables))


@register.simple_tag
def checklist_progress(steps: Sequence[StepRow]) -> Progress:
    states = [step.state for step in steps]
    return Progress(states.count(StepState.DONE), states.count(StepState.SKIPPED), len(states))


@register.simple_tag
def next_step(steps: Sequence[StepRow]) -> int:
    """The number of the first open step; 0 when none is left."""
    return next((step.number for step in steps if step.is_open), 0)
