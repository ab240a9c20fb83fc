"""The boards: on call, executive, debug, and the live stream that keeps them current."""
