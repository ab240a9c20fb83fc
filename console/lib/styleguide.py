"""The living style guide: every component with made-up rows, as pages of the rooms fill them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.lib.tones import LOOKS

Row = dict[str, Any]

M6I = "aws us-east-1b m6i.large"
N2 = "gcp europe-west4-a n2-standard-8"
D4S = "azure westeurope-2 D4s_v5"
C6I = "aws us-east-1a c6i.xlarge"
G5 = "aws us-west-2c g5.12xlarge"
E2 = "gcp us-central1-f e2-standard-4"

# The fields of NAMES; then seconds since the notice, seconds of notice, margin once ended.
MACHINES = (
    ("checkout-worker", "3 of 8 replicas left", "danger", M6I, "draining", 2, 3, "Alice Byrne", 101, 120, None),
    ("transcode", "queue 412, growing", "warn", N2, "shutting_down", 3, 2, "Bob Okafor", 21, 30, None),
    ("ledger-export", "1 of 4 replicas left", "danger", D4S, "noticed", 0, 1, "", 44, 30, None),
    ("search-indexer", "5 of 6 replicas left", "neutral", C6I, "cordoned", 1, 2, "Alice Byrne", 52, 120, None),
    ("checkout-worker", "3 of 8 replicas left", "danger", M6I, "draining", 2, 3, "Alice Byrne", 40, 120, None),
    ("gpu-training", "checkpoint 4 min old", "neutral", G5, "noticed", 0, 1, "Research", 12, 120, None),
    ("ci-runners", "", "neutral", E2, "at_risk", None, 1, "Platform", 0, 600, None),
    ("notebooks", "session moved", "neutral", "azure northeurope-1 F8s_v2", "rescheduled", 5, 2, "Data", 300, 30, 31),
    ("transcode", "task restarted", "neutral", N2, "ended", 4, 2, "Bob Okafor", 420, 30, 4),
    ("ledger-export", "shutdown hook cut off", "danger", D4S, "overran", 4, 3, "Finance", 600, 30, -14),
    ("edge-cache", "", "neutral", "aws eu-central-1a t4g.medium", "presumed", 4, 1, "", 900, 120, None),
    ("ci-runners", "withdrawn by the provider", "neutral", E2, "cancelled", 2, 2, "Platform", 1200, 30, 12),
)  # fmt: skip
CURL = """curl -X POST https://console.example/ingest/us-east-1 \\
  -H 'Authorization: Bearer …' \\
  -d @event.json"""
NAMES = ("service", "impact", "impact_tone", "pool", "state", "stage_index", "witnesses", "owner")

GROUPS = (
    ("triggered", "critical", "checkout-worker loses machines in us-east-1b", "3 of 8 replicas left", "", 2, 1),
    ("acknowledged", "error", "ledger-export runs on one replica", "1 of 4 replicas left", "Bob Okafor", 2, 3),
    ("silenced", "warning", "transcode is short of capacity", "queue 412, growing", "Alice Byrne", 1, 5),
    ("resolved", "info", "notebooks moved", "all sessions restored", "Alice Byrne", 1, 5),
)  # fmt: skip


class ExampleForm(forms.Form):
    name = forms.CharField(label="Name", help_text="Shown in the strip and in receipts.")
    kind = forms.ChoiceField(label="Kind", choices=[("aws", "AWS EventBridge"), ("gcp", "GCP Pub/Sub push")])
    token = forms.CharField(label="Token", required=False, widget=forms.PasswordInput)
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    is_canary = forms.BooleanField(
        label="Send a canary through it", required=False, help_text="One message every minute."
    )


class ExampleFilters(forms.Form):
    severity = forms.ChoiceField(
        label="Severity", required=False, choices=[("", "Any severity"), ("critical", "Critical")]
    )
    provider = forms.ChoiceField(
        label="Provider", required=False, choices=[("", "Any provider"), ("aws", "AWS"), ("gcp", "GCP")]
    )


def interruption_rows(now: datetime) -> list[Row]:
    rows = []
    for number, machine in enumerate(MACHINES, start=1):
        since, window, spare = machine[8:]
        notice_at = now - timedelta(seconds=since)
        deadline_at = notice_at + timedelta(seconds=window)
        row: Row = dict(zip(NAMES, machine[:8], strict=True))
        row |= {
            "id": number,
            "url": f"#interruption-{number}",
            "notice_at": notice_at,
            "deadline_at": deadline_at,
        }
        row |= {"ended_at": None if spare is None else deadline_at - timedelta(seconds=spare)}
        row |= {"state_label": "Gone" if row["state"] == "ended" else ""}
        rows.append(row)
    return rows


def group_rows(now: datetime, machines: list[Row]) -> list[Row]:
    rows = []
    for number, (status, severity, title, impact, who, count, done) in enumerate(GROUPS, start=1):
        members = [
            row | {"id": f"m{number}-{row['id']}"} for row in machines[number - 1 : number - 1 + count]
        ]
        row: Row = {"id": number, "url": f"#group-{number}", "status": status, "severity": severity}
        row |= {"title": title, "impact": impact, "member_count": count, "members": members}
        row |= {"opened_at": now - timedelta(minutes=3 * number), "acknowledged_by": who}
        row |= {key: members[0][key] for key in ("deadline_at", "notice_at")}
        row |= {
            "ended_at": members[0]["deadline_at"] - timedelta(seconds=31) if status == "resolved" else None
        }
        row |= {"steps_done": done, "steps_total": 5}
        rows.append(row)
    return rows


def charts() -> dict[str, Row]:
    weeks = [f"W{week}" for week in range(31, 43)]
    rate = [2.1, 1.9, 2.6, 2.2, 3.4, 3.1, 2.4, 2.0, 1.8, 2.3, 2.9, 2.5]
    band = [value + 0.6 for value in rate] + [value - 0.5 for value in reversed(rate)]
    trend: Row = {
        "data": [
            {"x": weeks + weeks[::-1], "y": band, "fill": "toself", "fillcolor": "var(--series-band)",
             "line": {"width": 0}, "hoverinfo": "skip", "type": "scatter", "mode": "lines"},
            {"x": weeks, "y": rate, "line": {"color": "var(--series-1)"}, "type": "scatter", "mode": "lines"},
        ],
        "layout": {"yaxis": {"rangemode": "tozero"}},
    }  # fmt: skip
    pools = [
        "us-east-1b m6i.large",
        "us-west-2c g5.12xlarge",
        "europe-west4-a n2-standard-8",
        "westeurope-2 D4s_v5",
    ]
    counts = [41, 33, 18, 7]
    bars: Row = {
        "data": [{"x": counts[::-1], "y": pools[::-1], "type": "bar", "orientation": "h", "text": counts[::-1],
                  "textposition": "outside", "cliponaxis": False, "marker": {"color": "var(--series-1)"}}],
        "layout": {"xaxis": {"visible": False}},
    }  # fmt: skip
    return {
        "trend": {"figure": trend, "rows": list(zip(weeks, rate, strict=True))},
        "bars": {"figure": bars, "rows": list(zip(pools, counts, strict=True))},
    }


def strip_items(now: datetime) -> list[Row]:
    return [
        {"icon": "user-check", "text": "On call", "value": "Alice Byrne until 18:00 UTC", "url": "#strip"},
        {"icon": "activity", "text": "Feeds", "value": "2 of 3 healthy", "tone": "warn", "url": "#strip"},
        {"icon": "radio", "text": "Last event", "at": now - timedelta(seconds=40), "is_extra": True},
        {
            "icon": "shield-check",
            "text": "Canary passed",
            "at": now - timedelta(seconds=25),
            "is_extra": True,
        },
        {"icon": "bell-off", "text": "Suppressions", "value": "1", "is_extra": True},
    ]


def context(now: datetime) -> Row:
    machines = interruption_rows(now)
    wrong = ExampleForm({"name": "", "kind": "aws", "is_canary": "on"})
    wrong.is_valid()
    return {
        "rows": machines,
        "groups": group_rows(now, machines),
        "charts": charts(),
        "states": list(LOOKS),
        "form": ExampleForm(initial={"name": "us-east-1 events"}),
        "wrong_form": wrong,
        "filters": ExampleFilters(),
        "strip": {"items": strip_items(now)},
        "rail_counts": {"alerts": 2},
        "banner": {"text": "This is sample data. Nobody is paged.", "action": "#stop", "action_label": "Stop and clear",
                   "confirm": "Every sample row is deleted. Live data stays."},
        "crumbs": [{"name": "Debug", "url": "#debug"}, {"name": "Machines", "url": "#machines"}],
        "facts": [
            {"name": "Machine", "value": "i-0f3a9c1d2e4b5a697", "copy_text": "i-0f3a9c1d2e4b5a697"},
            {"name": "Deadline", "at": now + timedelta(seconds=40)},
            {"name": "Service", "value": "checkout-worker", "url": "#service"},
            {"name": "Volumes", "value": None},
        ],
        "at": now - timedelta(minutes=11),
        "curl": CURL,
    }  # fmt: skip


@require_GET
def styleguide(request: HttpRequest) -> HttpResponse:
    return render(request, "lib/styleguide.html", context(timezone.now()))
