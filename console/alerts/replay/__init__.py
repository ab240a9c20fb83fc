"""Replay: a draft laid over the past, by the code that decides live, with a clock that is handed in.

`past.py` reads what happened once, `world.py` lets groups live through it in memory, `working.py` is the worker's turn.
Nothing here writes a row that anybody is told of: only `Replay` rows are written.
"""
