"""What the pages of this room write figures with."""
