"""Saying something through a line: once, under the right number, and honest about the outcome."""
