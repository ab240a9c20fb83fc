"""The pages of this room."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import SlugConverter

from console.oncall.editing import RESERVED
from console.oncall.views import acting, managing, reading


class RotationConverter(SlugConverter):
    """A rotation's slug; names of pages are none."""

    regex = rf"(?!(?:{'|'.join(sorted(RESERVED))})(?:/|$))[-a-zA-Z0-9_]+"


register_converter(RotationConverter, "rotation")
app_name = "oncall"
ONE = "schedules/<rotation:slug>/"

urlpatterns = [
    path("schedules/", reading.schedule_list, name="schedule_list"),
    path("schedules/new/", managing.rotation_new, name="rotation_new"),
    path("schedules/mine/", reading.my_shifts, name="my_shifts"),
    path("schedules/mine/calendar/", acting.calendar_issue, name="my_calendar_issue"),
    path("schedules/fairness/", reading.load_list, name="load_list"),
    path("schedules/calendar/<int:pk>/revoke/", acting.calendar_revoke, name="calendar_revoke"),
    path("schedules/calendar/<str:token>.ics", reading.calendar_file, name="calendar_file"),
    path("schedules/swaps/<int:pk>/<slug:verb>/", acting.swap_answer, name="swap_answer"),
    path("schedules/overrides/<int:pk>/cancel/", acting.override_cancel, name="override_cancel"),
    path("schedules/overrides/<int:pk>/restore/", acting.override_restore, name="override_restore"),
    path(ONE, reading.rotation_detail, name="rotation_detail"),
    path(f"{ONE}edit/", managing.rotation_edit, name="rotation_edit"),
    path(f"{ONE}archive/", managing.rotation_archive, name="rotation_archive"),
    path(f"{ONE}unarchive/", managing.rotation_unarchive, name="rotation_unarchive"),
    path(f"{ONE}layers/new/", managing.layer_new, name="layer_new"),
    path(f"{ONE}layers/<int:position>/", managing.layer_edit, name="layer_edit"),
    path(f"{ONE}layers/<int:position>/remove/", managing.layer_remove, name="layer_remove"),
    path(f"{ONE}layers/<int:position>/raise/", managing.layer_raise, name="layer_raise"),
    path(f"{ONE}take-over/", acting.take_over, name="take_over"),
    path(f"{ONE}override/", acting.override_new, name="override_new"),
    path(f"{ONE}swap/", acting.swap_new, name="swap_new"),
    path(f"{ONE}note/", acting.note_leave, name="note_leave"),
    path(f"{ONE}calendar/", acting.calendar_issue, name="calendar_issue"),
    path(f"{ONE}import/", managing.overrides_import, name="overrides_import"),
]
