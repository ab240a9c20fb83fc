"""What detectors look at: stored rows as frozen dataclasses, read by few statements, bounded by `now` on both sides.

One file a matter. Where `interruptions` computes a measure itself, its reading here can be put in place of ours:
detectors know these dataclasses only.
"""
