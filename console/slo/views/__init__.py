"""Pages of objectives, of the servers that count for them, and of M7 and M9."""
