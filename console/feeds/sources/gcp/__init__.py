"""What Google Cloud sends: Pub/Sub, audit entries, operations, the metadata server."""
