"""Planned quiet: maintenance windows and capacity changes, what they hid, and what they may never hide."""
