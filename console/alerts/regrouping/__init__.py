"""Groups arranged by hand: merged, moved between, split, put under a wave and taken out again, and all of it undone."""
