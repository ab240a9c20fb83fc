"""Programs outside that hear of what happens, as signed CloudEvents, at least once.

Knows nothing of what happens: rooms above word an event and `publishing.publish` it in their transaction.
"""
