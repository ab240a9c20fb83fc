"""What a cluster tells in Events. `reader.parse` is the door; one file a component says what its reasons mean."""
