"""Check a deployment before its users notice a fault: what is wrong, and the remedy."""
