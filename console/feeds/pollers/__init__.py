"""Feeds whose sender is asked instead of listened to: fetching alone, nothing here touches the database."""
