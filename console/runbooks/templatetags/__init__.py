"""Template tags of the runbooks."""
