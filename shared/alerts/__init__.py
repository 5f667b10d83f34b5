"""Deliver one alert per incident and news through every configured channel."""
