"""Finished messages on their way out: channels, the outbox, senders, outgoing webhooks.

Knows nothing of alerts: whoever has something to say writes an outbox row in its own transaction.
"""
