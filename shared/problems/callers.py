"""Problems of the caller and of its request."""

from shared.problems.problem import Problem


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


class BodyTooSlow(Problem):
    status = 408
    title = "The request took too long to arrive"


class BodyNotJson(Problem):
    status = 415
    title = "The request's content type must be application/json"


class BodyMalformed(Problem):
    status = 400
    title = "The request is not valid JSON"


class RequestInvalid(Problem):
    status = 422
    title = "The request has fields that are not valid"
