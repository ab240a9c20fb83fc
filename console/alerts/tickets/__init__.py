"""Work items: what a rule asks for that can wait until morning."""
