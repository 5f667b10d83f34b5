"""Messages of every conversation."""
