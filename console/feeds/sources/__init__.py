"""One file per outside party: pure functions from the bytes of one item to a `normalised.Reading`."""
