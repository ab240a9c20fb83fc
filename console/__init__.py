"""Spot console: where a company sees its spot reclaims, acts on them and learns from them."""
