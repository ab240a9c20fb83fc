"""The sample fleet's player: a small process without Django that speaks HTTP to the console.

Read `company.py` for who is played, `story.py` for one reclaim, `history.py` and `live.py` for which reclaims
happen when, `player.py` for the process. Everything but the clock follows from one seed.
"""
