"""Limit how long each call may last, in seconds; a caller's lease must outlive `LONGEST_CALL`."""

SOCKET = 3.0
"""To get a connection, new or pooled. When it runs out, nothing was sent."""

LONGEST_CALL = 20.0
"""Above every create, connect, restart, configure, silence and delete, with all its calls."""

CONNECTION = 5.0
CREATE = 15.0
CONNECT = 12.0
RESTART = 10.0
CONFIGURE = 8.0
DELETE = 15.0
FIND = 8.0
CENSUS = 60.0
VERSION = 10.0
VERIFY = 8.0

SEND = 75.0
"""Above the 60 s that an unanswered number lookup blocks a send (EVOLUTION.md §5)."""

LOOKUP = 30.0
MEDIA = 60.0

ATTEMPTS = 2
PAUSE = 0.15
"""Before repeating what is harmless to repeat, and between the steps of a delete."""
