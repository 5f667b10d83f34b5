"""Days and hours as people in a time zone count them."""

from datetime import datetime, time, tzinfo


def start_of_day(now: datetime, zone: tzinfo) -> datetime:
    """Return the midnight at which the day of `now` began there."""
    return datetime.combine(now.astimezone(zone).date(), time(), zone)
