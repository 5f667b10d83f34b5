"""Read message objects: one reader for each sort of content (EVOLUTION.md §4, by type)."""
