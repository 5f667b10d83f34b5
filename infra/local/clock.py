"""The local stack's clock: the real time, and as far ahead as somebody has moved it."""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

LONGEST = timedelta(days=3650)


class Clock:
    """Can be moved, forwards only, so that a month of nights takes seconds."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def answer(self, request: Request) -> Response:
        """`POST /local/clock {"days": 1, "hours": 0}` moves it; the answer is what it says then."""
        try:
            asked = await request.json()
            step = timedelta(days=float(asked.get("days", 0)), hours=float(asked.get("hours", 0)))
        except (ValueError, TypeError, AttributeError, OverflowError):
            return JSONResponse({"detail": 'it takes {"days": 1, "hours": 0}'}, 400)
        if not timedelta() <= step <= LONGEST:
            return JSONResponse({"detail": "it moves forwards, by ten years at most"}, 400)
        self.ahead += step
        return JSONResponse(
            {"now": self().isoformat(), "ahead_seconds": self.ahead.total_seconds()}
        )
