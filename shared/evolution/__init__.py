"""Talk to Evolution API; no other package knows its routes, its words and its versions."""
