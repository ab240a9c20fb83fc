"""The pages of the rail, in its order, with the key that goes there after `g`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    name: str
    url: str
    icon: str
    key: str = ""
    counts: str = ""
    """The name in `rail_counts` of the number shown beside it."""
    is_primary: bool = False
    """Stays in the bar of a phone."""
    at_end: bool = False


PAGES = (
    Page("On-call", "/oncall/", "siren", key="o", is_primary=True),
    Page("Alerts", "/alerts/", "bell", key="a", counts="alerts", is_primary=True),
    Page("Tickets", "/tickets/", "list-checks", key="t"),
    Page("Suppressions", "/suppressions/", "bell-off", key="u"),
    Page("Executive", "/executive/", "trending-up", key="e"),
    Page("Costs", "/costs/", "file-text", key="k"),
    Page("Debug", "/debug/", "bug", key="d"),
    Page("Services", "/services/", "boxes", key="s", is_primary=True),
    Page("Schedules", "/schedules/", "calendar", key="c"),
    Page("Runbooks", "/runbooks/", "book-open-check", key="r", is_primary=True),
    Page("Rules", "/rules/", "gauge", key="l"),
    Page("SLOs", "/slo/", "flag", key="b"),
    Page("Feeds", "/feeds/", "activity", key="f", counts="quarantine"),
    Page("Audit", "/audit/", "scroll-text", at_end=True),
    Page("Settings", "/settings/", "settings", at_end=True),
    Page("You", "/me/", "circle-user", at_end=True),
)
