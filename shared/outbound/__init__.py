"""Tell what happened: the log of events, endpoints, their signatures and delivery."""
