"""Detectors: pure functions. Rows and `now` in, findings out; whoever calls them reads and writes."""
