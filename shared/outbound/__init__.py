"""Tell on what happens to lines and messages: the log of events."""
