"""Every failure a caller should understand, and the one registry of them (RFC 9457)."""

import re
from typing import Any, ClassVar

TYPE_PREFIX = "urn:perene:problem:"


class Problem(Exception):
    """A failure with a type, a status and a sentence.

    `detail` is for the caller and never carries a secret, a phone number or a person's words;
    `retry_after` (seconds) becomes the header of that name.
    """

    status: ClassVar[int]
    title: ClassVar[str]
    again_after: ClassVar[int | None] = None
    """Seconds after which the same request may well succeed, where that is so."""
    registry: ClassVar[dict[str, type["Problem"]]] = {}

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after: int | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.retry_after = self.again_after if retry_after is None else retry_after
        self.errors = errors

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.registry[cls.slug()] = cls

    @classmethod
    def slug(cls) -> str:
        """The last part of the type: the class's name in kebab case. Renaming breaks callers."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def body(self) -> dict[str, Any]:
        """The problem as RFC 9457 writes it."""
        optional = {"detail": self.detail, "errors": self.errors, "retry_after": self.retry_after}
        return {
            "type": TYPE_PREFIX + self.slug(),
            "title": self.title,
            "status": self.status,
            **{name: value for name, value in optional.items() if value not in ("", None)},
        }


# Who is calling ------------------------------------------------------------------------------


class TokenMissing(Problem):
    status = 401
    title = "Sign in first"


class TokenInvalid(Problem):
    status = 401
    title = "The token is not valid"


class TokenExpired(Problem):
    status = 401
    title = "The session has expired, sign in again"


class AuthNotConfigured(Problem):
    status = 503
    title = "Sign-in is not configured on this deployment"


class IssuerUnreachable(Problem):
    status = 503
    again_after = 10
    title = "The sign-in service can't be reached to check the token"


class NotAllowed(Problem):
    status = 403
    title = "This is not allowed for the caller"


class TenantUnusable(Problem):
    status = 403
    title = "The token's tenant id can't be used"


class TenantUnknown(Problem):
    status = 403
    title = "The tenant is not registered"


class TenantSuspended(Problem):
    status = 403
    title = "The tenant is suspended"


class TenantCancelled(Problem):
    status = 403
    title = "The tenant is cancelled"


# What they asked -----------------------------------------------------------------------------


class NoSuchPath(Problem):
    status = 404
    title = "There is nothing at this address"


class MethodNotAllowed(Problem):
    status = 405
    title = "This address doesn't take that method"

    def __init__(self, *methods: str) -> None:
        super().__init__(f"It takes {', '.join(methods)}." if methods else "")
        self.methods = methods


class BodyTooLarge(Problem):
    status = 413
    title = "The request is too large"


class BodyNotJson(Problem):
    status = 415
    title = "The request's content type must be application/json"


class BodyMalformed(Problem):
    status = 400
    title = "The request is not valid JSON"


class RequestInvalid(Problem):
    status = 422
    title = "The request has fields that are not valid"


# Lines ---------------------------------------------------------------------------------------


class LineUnknown(Problem):
    status = 404
    title = "There is no such line"


class ConversationUnknown(Problem):
    status = 404
    title = "There is no such conversation"


class MessageUnknown(Problem):
    status = 404
    title = "There is no such message"


class MediaAbsent(Problem):
    status = 404
    title = "The message has no file, or WhatsApp doesn't keep it any more"


class MediaTooLarge(Problem):
    status = 413
    title = "The file is too large to be shown here"


class CursorInvalid(Problem):
    status = 400
    title = "The cursor isn't one of ours"


class LineBusy(Problem):
    status = 409
    again_after = 2
    title = "The line is being changed by another call, try again shortly"


class LineNotOpen(Problem):
    status = 409
    title = "The line is not connected to WhatsApp"


class MaximumLinesReached(Problem):
    status = 409
    title = "Maximum lines reached for this tenant"


class MaximumInstancesReached(Problem):
    status = 503
    again_after = 60
    title = "Maximum instances reached"


# The fleet -----------------------------------------------------------------------------------


class SweepRunning(Problem):
    status = 409
    again_after = 60
    title = "That sweep is going on already"


class CandidateUnknown(Problem):
    status = 404
    title = "There is no such candidate for deletion"


class CandidateGone(Problem):
    status = 409
    title = "Its deletion has begun already, or is over"


class ReportUnknown(Problem):
    status = 404
    title = "There is no such report"


class LetterUnknown(Problem):
    status = 404
    title = "There is no such dead letter"


class LetterCut(Problem):
    status = 409
    title = "The event was too large to be kept whole, so it can't be replayed"


class ServerAbsent(Problem):
    status = 404
    title = "There is no such server"


class TenantAbsent(Problem):
    status = 404
    title = "There is no such tenant"


# Those we depend on --------------------------------------------------------------------------


class EvolutionUnreachable(Problem):
    status = 502
    again_after = 5
    title = "The WhatsApp server can't be reached"


class EvolutionTimedOut(Problem):
    status = 504
    again_after = 5
    title = "The WhatsApp server didn't answer in time"


class EvolutionFailed(Problem):
    status = 502
    again_after = 5
    title = "The WhatsApp server failed"


class EvolutionRefused(Problem):
    status = 502
    title = "The WhatsApp server refused to make the instance"


class EvolutionRefusedKey(Problem):
    status = 502
    title = "The WhatsApp server refused our key"


class ServerUnknown(Problem):
    status = 503
    title = "The line's server is not configured on this deployment"


class StoreUnavailable(Problem):
    status = 503
    again_after = 2
    title = "The database can't be reached, try again shortly"


class WebhookForged(Problem):
    status = 401
    title = "The webhook's token is not valid"


class Unexpected(Problem):
    status = 500
    title = "Something failed on our side"
