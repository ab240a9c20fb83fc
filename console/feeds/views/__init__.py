"""Pages about feeds: the feeds themselves, and what their senders need."""
