"""Facts pushed by programs that hang on interruptions: samples of a service's streams."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.fleet.api.facts import Pushed
from console.interruptions.samples import SampleRow, take_samples
from console.lib.pushed import judge, read_list, request_schema

router = Router(tags=["facts"], auth=TokenAuth(Scope.FACTS))


@router.put("/samples", response=Pushed, openapi_extra=request_schema(SampleRow))
def samples_put(request: HttpRequest) -> dict[str, Any]:
    """Points of streams. Good rows are taken, bad ones listed; 422 when none is good."""
    batch = judge(read_list(request.body), SampleRow)
    stored = take_samples(batch, origin=token_of(request).origin, now=timezone.now())
    return batch.answer(stored=stored)
