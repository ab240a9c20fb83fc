"""The address of one service. It goes before `fleet`'s, whose page of the same address knows no reclaims."""

from __future__ import annotations

from django.urls import re_path

from console.dashboards import service_views
from console.fleet.service_changes import RESERVED

_NOT_A_SERVICE = "|".join(sorted(RESERVED))

urlpatterns = [
    re_path(rf"^services/(?!(?:{_NOT_A_SERVICE})/)(?P<slug>[-\w]+)/$", service_views.service_detail),
]
