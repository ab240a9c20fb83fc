"""Reclaims of machines: what was observed, which observations are one interruption, and its measures.

Read `partition.py` for identity, `recording.py` for how facts reach the database.
"""
