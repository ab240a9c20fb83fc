"""Objectives: what share of its requests a service promises to answer well, and what is left of the promise.

Counts a minute come in pushed (`counting.py`) or from Prometheus (`polling.py`); `budget.py`, `burn.py` and
`error_spike.py` are the formulas, pure; `reading.py` sums the counts for them.
"""
