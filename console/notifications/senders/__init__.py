"""One file for each kind of outside party: what it has to know, and how a message looks to it."""
