"""Serve the web console: its files, its content policy, and its configuration."""
