"""What we do to a line: bring it up, let it go. The functions and the sweeps both call these."""
