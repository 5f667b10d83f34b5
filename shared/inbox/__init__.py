"""What an inbox asks for again and again: a thread's pages, and what changed meanwhile."""
