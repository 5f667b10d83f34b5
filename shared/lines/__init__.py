"""Bring a line up, look after it and let it go. Functions and sweeps both call this package."""
