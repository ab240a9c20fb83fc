"""What to do: runbooks and their versions, which services they are for, and checklists being worked.

Knows nothing of alerts: whoever starts an execution keeps the reference to it.
"""
