"""The minute: every sampled rule looks once, says what it sees, and opens or closes its groups."""
