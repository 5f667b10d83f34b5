"""What is wrong with a deployment, before its users find out; and what to do about it."""
