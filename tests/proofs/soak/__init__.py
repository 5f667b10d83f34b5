"""Run a deployment under load while everything around it breaks, and judge what it promised."""
