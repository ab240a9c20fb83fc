"""A feed that owes a message, or tells all late: what it would tell is not seen (`feeds/watching.py` finds out)."""

from __future__ import annotations

from console.alerts.detecting import Detector, Kind, Subject, one_condition

DETECTOR = Detector(
    name="feed_silent",
    title="Feed silent",
    about="A feed owes a message for longer than its settings allow, or half of its messages come more than "
    "five minutes late. How long a feed may be quiet is set with the feed.",
    kind=Kind.EVENT,
    subject=Subject.FEED,
    conditions=one_condition("A feed is silent or late"),
    evaluations=1,
)
