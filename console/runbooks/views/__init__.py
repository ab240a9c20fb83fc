"""Pages of the runbooks: reading, writing, attaching, and working a checklist."""
