"""Who is on call and when, and who is told next: rotations, shifts, overrides, escalation policies.

Knows nothing of alerts: `alerts` asks it.
"""
