"""Evolution API: the only place that knows its routes, its words and its versions."""
