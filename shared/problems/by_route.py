"""Problems that a route can answer with, grouped by what the route does."""

from shared import problems
from shared.problems import Problem

TENANT_PROBLEMS: tuple[type[Problem], ...] = (
    problems.TokenMissing,
    problems.TokenInvalid,
    problems.TokenExpired,
    problems.TenantUnusable,
    problems.TenantUnknown,
    problems.TenantSuspended,
    problems.TenantCancelled,
    problems.AuthNotConfigured,
    problems.IssuerUnreachable,
    problems.StoreUnavailable,
    problems.Unexpected,
)
BODY_PROBLEMS: tuple[type[Problem], ...] = (
    problems.BodyTooLarge,
    problems.BodyTooSlow,
    problems.BodyNotJson,
    problems.BodyMalformed,
    problems.RequestInvalid,
)
LINE_PROBLEMS: tuple[type[Problem], ...] = (
    problems.LineBusy,
    problems.ServerUnknown,
    problems.EvolutionUnreachable,
    problems.EvolutionTimedOut,
    problems.EvolutionFailed,
    problems.EvolutionRefused,
    problems.EvolutionRefusedKey,
    problems.ServerNotLicensed,
)
OPERATOR_PROBLEMS: tuple[type[Problem], ...] = (
    problems.TokenMissing,
    problems.TokenInvalid,
    problems.TokenExpired,
    problems.NotAllowed,
    problems.AuthNotConfigured,
    problems.IssuerUnreachable,
    problems.StoreUnavailable,
    problems.Unexpected,
)
SWEEP_PROBLEMS: tuple[type[Problem], ...] = (*OPERATOR_PROBLEMS, problems.SweepRunning)
EVERYWHERE: tuple[type[Problem], ...] = (problems.MethodNotAllowed, problems.NoSuchPath)
