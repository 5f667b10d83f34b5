"""Files in messages: copied into the bucket, served, waited for and deleted."""
