"""Show and change what operators see of the fleet."""
