"""What a person handles: groups of interruptions, their history, and the decision whom to tell.

Read `pipeline.py` first. `routing.py` is the one place that decides between page, ticket and log.
"""
