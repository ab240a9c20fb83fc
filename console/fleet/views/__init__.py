"""The fleet's pages."""
