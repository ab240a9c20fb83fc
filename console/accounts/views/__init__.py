"""The pages of this room, one file a subject. Each view calls one act and says what came of it."""
