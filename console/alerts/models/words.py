"""What a group can be, how bad, and how it ended."""

from __future__ import annotations

from django.db import models


class GroupStatus(models.TextChoices):
    TRIGGERED = "triggered", "Triggered"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    RESOLVED = "resolved", "Resolved"


class Severity(models.TextChoices):
    CRITICAL = "critical", "Critical"
    ERROR = "error", "Error"
    WARNING = "warning", "Warning"
    INFO = "info", "Info"


class GroupKind(models.TextChoices):
    """What a group is about; its key says so."""

    SERVICE = "service", "Service"
    WAVE = "wave", "Wave"
    FINDING = "finding", "Console"


class Resolution(models.TextChoices):
    """How a group ended. `no_news` and `late` were never announced as healed."""

    HEALED = "healed", "Healed"
    BY_HAND = "by_hand", "Resolved by hand"
    NO_NEWS = "no_news", "No news"
    LATE = "late", "Over before it was heard of"
    MERGED = "merged", "Merged into another"


class EscalationState(models.TextChoices):
    RUNNING = "running", "Running"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    SILENCED = "silenced", "Held by a silence"
    SUPPRESSED = "suppressed", "Held by a suppression"
    WITH_WAVE = "with_wave", "Its wave is told of"
    EXHAUSTED = "exhausted", "Nobody answered"
    HEALED = "healed", "Healed"
    ENDED = "ended", "Ended"
