"""Reclaims made up at random, each told by three to six channels as the vendors tell it, and who was right.

`aws.py`, `gcp.py` and `azure.py` know the channels, `telling.py` mixes them, `judging.py` compares what the record
holds with what happened.
"""
