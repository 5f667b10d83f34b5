"""Record what webhooks and servers report."""
