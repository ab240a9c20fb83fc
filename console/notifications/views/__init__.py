"""The pages of this room: channels, what was sent, and how a person is told."""
