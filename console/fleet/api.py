"""Services, instances and attribution rules for programs; the lists that programs push."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema

from console.accounts.api_auth import TokenAuth
from console.accounts.models import Scope
from console.fleet.models import Service
from console.lib.cursor import Listing, Paging, list_rows

router = Router(tags=["fleet"])


class ServiceOut(Schema):
    slug: str
    name: str
    created_at: datetime


@router.get("/services", response=Listing[ServiceOut], auth=TokenAuth(Scope.READ))
def service_list(request: HttpRequest, paging: Query[Paging]) -> dict[str, object] | StreamingHttpResponse:
    services = Service.objects.filter(origin=request.auth.origin)  # type: ignore[attr-defined]
    return list_rows(request, queryset=services, order=["slug", "pk"], paging=paging, row=ServiceOut)
