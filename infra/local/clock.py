"""Clock of the local stack: the real time, plus the time by which `POST /local/clock` moved it."""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

LONGEST_STEP = timedelta(days=3650)


class Clock:
    """A clock that can be moved forwards, so that a month of nights takes seconds."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def serve_move(self, request: Request) -> Response:
        """Move the clock by a body like `{"days": 1, "hours": 0}`, and answer its new time."""
        try:
            body = await request.json()
            step = timedelta(days=float(body.get("days", 0)), hours=float(body.get("hours", 0)))
        except (ValueError, TypeError, AttributeError, OverflowError):
            return JSONResponse({"detail": 'it takes {"days": 1, "hours": 0}'}, 400)
        if not timedelta() <= step <= LONGEST_STEP:
            return JSONResponse({"detail": "it moves forwards, by ten years at most"}, 400)
        self.ahead += step
        return JSONResponse(
            {"now": self().isoformat(), "ahead_seconds": self.ahead.total_seconds()}
        )
