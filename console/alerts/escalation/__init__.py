"""Whom a page reaches, in which order, and when the next one is told."""
