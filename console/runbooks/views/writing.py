"""Writing a runbook: new, the step editor with its preview, publish, discard."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required
from console.lib.pages import render_region
from console.runbooks import editing
from console.runbooks.differences import compare
from console.runbooks.editing import EditedMeanwhile, NotPossible, NotPublishable
from console.runbooks.forms import Editor, NewRunbookForm
from console.runbooks.models import Runbook, Step
from console.runbooks.variables import EXAMPLES, VARIABLES
from console.runbooks.wording import BODY_LENGTH, TITLE_LENGTH, Fault, faults

EDITOR = "runbooks/runbook_edit.html"


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def runbook_new(request: HttpRequest) -> HttpResponse:
    """A name first; the steps follow in the editor."""
    form = NewRunbookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        runbook = editing.create(**form.cleaned_data, by=Actor.of(request), now=timezone.now())
        return redirect("runbooks:runbook_edit", runbook.slug)
    status = 422 if form.errors else 200
    return render_region(request, "runbooks/runbook_new.html", "new-runbook", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def runbook_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The step editor. Only "save" and "publish" store anything; the other buttons rearrange the form."""
    runbook = get_object_or_404(Runbook.objects.in_use(), slug=slug)
    if request.method == "GET":
        return _show(request, runbook, Editor(editing.to_edit(runbook)))
    editor, press = Editor.of(request.POST), request.POST.get("do", "")
    if press not in ("save", "publish"):
        return _show(request, runbook, editor.rearranged(press))
    try:
        return _store(request, runbook, editor, press=press)
    except NotPossible as error:
        return _show(request, runbook, editor, faults=[Fault(0, str(error))], status=409)
    except NotPublishable as error:
        return _show(request, runbook, editor, faults=error.faults, status=422)
    except EditedMeanwhile as error:
        return _show_conflict(request, runbook, editor, error)


def _store(request: HttpRequest, runbook: Runbook, editor: Editor, *, press: str) -> HttpResponse:
    by, now = Actor.of(request), timezone.now()
    if press == "save":
        draft = editing.save_draft(runbook, editor.wording, by=by, now=now)
        messages.success(request, f"The draft of version {draft.number} is saved.")
        return redirect("runbooks:runbook_edit", runbook.slug)
    version = editing.publish(runbook, editor.wording, change_note=editor.change_note, by=by, now=now)
    messages.success(request, f"Version {version.number} is published. New checklists start with it.")
    return redirect("runbooks:runbook_detail", runbook.slug)


def _show(
    request: HttpRequest,
    runbook: Runbook,
    editor: Editor,
    *,
    faults: list[Fault] | None = None,
    conflict: EditedMeanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    found = faults or []
    context = {
        "runbook": runbook,
        "editor": editor,
        "steps": [
            {"at": at, "step": step, "faults": [fault.text for fault in found if fault.step == at + 1]}
            for at, step in enumerate(editor.wording.steps)
        ],
        "faults": [fault.text for fault in found if fault.step == 0],
        "newest": editing.newest(runbook),
        "draft": editing.draft_of(runbook),
        "variables": VARIABLES,
        "examples": EXAMPLES,
        "title_length": TITLE_LENGTH,
        "body_length": BODY_LENGTH,
    }
    if conflict is not None:
        theirs = conflict.theirs.steps if conflict.theirs else []
        context |= {"theirs": conflict.theirs, "differences": compare(theirs, editor.wording.steps)}
    return render_region(request, EDITOR, "editor", context, status=status)


def _show_conflict(
    request: HttpRequest, runbook: Runbook, editor: Editor, conflict: EditedMeanwhile
) -> HttpResponse:
    """Both texts. Saving once more is a decision: it puts this one over the other."""
    stands = conflict.now_at
    wording = replace(editor.wording, number=stands.number, revision=stands.revision)
    return _show(request, runbook, replace(editor, wording=wording), conflict=conflict, status=409)


@require_POST
@role_required(Role.MANAGER)
def step_preview(request: HttpRequest) -> HttpResponse:
    """One step's text as responders will see it, with example values, and what keeps it from being published."""
    name = next((name for name in request.POST if name.endswith("-body")), "")
    body = request.POST.get(name, "")[: BODY_LENGTH + 1]
    found = [fault.text for fault in faults([Step(title="Preview", body=body, is_required=True)])]
    context = {"body": body, "faults": found, "examples": EXAMPLES}
    return HttpResponse(render_to_string("runbooks/_preview.html", context, request))


@require_POST
@role_required(Role.MANAGER)
def draft_discard(request: HttpRequest, slug: str) -> HttpResponse:
    runbook = get_object_or_404(Runbook, slug=slug)
    editing.discard_draft(runbook, by=Actor.of(request), now=timezone.now())
    if not Runbook.objects.filter(pk=runbook.pk).exists():
        messages.success(request, f"{runbook.name} is discarded; it had never been published.")
        return redirect("runbooks:runbook_list")
    messages.success(request, "The draft is discarded.")
    return redirect("runbooks:runbook_detail", slug)
