"""Show the events that endpoints of this machine are told: a receiver to look at."""
