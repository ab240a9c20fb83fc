"""The front door: receiving, and the record pipeline behind it.

Read `pipeline.py` first: one message's way, told in one file.
"""
