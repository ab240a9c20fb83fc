"""Fetching from where messages wait: one file a vendor, each loaded only in a process that polls it."""
