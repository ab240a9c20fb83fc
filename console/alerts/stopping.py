"""A pipeline that met too many errors of its own stops, says so on the on-call board, and tries again.

Nothing is put aside meanwhile: where many fail at once the fault is hardly the messages'.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from console.alerts.detectors.console_failure import STOPPED
from console.alerts.findings import close_finding, open_finding
from console.alerts.models import Severity
from console.feeds.models import PipelineStop

logger = logging.getLogger(__name__)

RETRY_AFTER = timedelta(minutes=1)


def stop(name: str, reason: str, *, now: datetime) -> None:
    """Let the pipeline rest until its next try, and raise an alert."""
    retry_at = now + RETRY_AFTER
    PipelineStop.objects.update_or_create(
        name=name,
        defaults={"reason": reason, "retry_at": retry_at},
        create_defaults={"reason": reason, "stopped_at": now, "retry_at": retry_at},
    )
    logger.error("pipeline.stopped", extra={"pipeline": name, "reason": reason})
    try:
        open_finding(
            _key(name),
            title=f"The {name} pipeline stopped",
            text=f"Nothing is lost; it tries again every minute. {reason}",
            severity=Severity.CRITICAL,
            now=now,
            condition=STOPPED,
        )
    except (
        Exception
    ):  # what raises alerts may be what is broken: then health and the status strip say it alone
        logger.exception("pipeline.stop_untold", extra={"pipeline": name})


def is_stopped(name: str, *, now: datetime) -> bool:
    """Whether the pipeline rests now."""
    return PipelineStop.objects.filter(name=name, retry_at__gt=now).exists()


def go_on(name: str, *, now: datetime) -> None:
    """A batch went through: forget the stop, if there was one, and resolve its alert."""
    if PipelineStop.objects.filter(name=name).delete()[0]:
        close_finding(_key(name), text="The pipeline works again", now=now)


def _key(name: str) -> str:
    return f"pipeline_stopped:{name}"
