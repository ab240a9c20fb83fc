"""Facts pushed by programs: requests a minute, as a list that is upserted."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.fleet.api.facts import Pushed
from console.lib.pushed import judge, read_list, request_schema
from console.slo.counting import RequestRow, take_requests

router = Router(tags=["facts"], auth=TokenAuth(Scope.FACTS))


@router.put("/requests", response=Pushed, openapi_extra=request_schema(RequestRow))
def requests_put(request: HttpRequest) -> dict[str, Any]:
    """Requests of services by the minute. Good rows are taken, bad ones listed; 422 when none is good."""
    batch = judge(read_list(request.body), RequestRow)
    stored = take_requests(batch, origin=token_of(request).origin, now=timezone.now())
    return batch.answer(stored=stored)
