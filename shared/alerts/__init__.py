"""Alerts worth reading: one incident, one alert, in every channel that there is."""
