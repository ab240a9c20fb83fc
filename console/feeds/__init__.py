"""Where messages come from: feeds, what they delivered, what was refused, and how each vendor writes.

Parsers in `sources/` are pure functions from bytes to `normalised.Reading`.
Knows nothing of interruptions.
"""
