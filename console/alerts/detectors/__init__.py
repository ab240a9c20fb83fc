"""Detectors: one file a failure. Rows, limits and `now` in, judgements out; whoever calls them reads and writes."""
