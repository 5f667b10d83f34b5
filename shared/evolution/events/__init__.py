"""Translate upstream events into `shared.domain.events`, one module for each family."""
