"""What Azure sends: Scheduled Events relayed by a watcher, Event Grid, and the Activity Log."""
