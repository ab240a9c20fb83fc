"""Who may post to a feed: one file a way. A feed's kind and settings say which ways it takes."""
