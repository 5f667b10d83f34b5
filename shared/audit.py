"""Record who did what has consequences. What was done stays done if that fails."""

import secrets
from typing import Any, Literal

from shared import auth, log, problems, services
from shared.domain.acts import Act, Action
from shared.domain.instances import epoch_ms


async def record_operator(who: auth.Caller, action: Action, **about: Any) -> None:
    """Record what an operator did; `about` are fields of an Act. Firestore: 1 write."""
    await _record("operator", who, who.name, action, about)


async def record_tenant(who: auth.Caller, action: Action, **about: Any) -> None:
    """Record what a person of a tenant did, by the token's subject alone. Firestore: 1 write."""
    await _record("tenant", who, None, action, about)


async def _record(
    by: Literal["operator", "tenant"],
    who: auth.Caller,
    name: str | None,
    action: Action,
    about: dict[str, Any],
) -> None:
    now = services.now()
    act_id = f"{epoch_ms(now)}-{secrets.token_hex(6)}"
    act = Act(id=act_id, at=now, by=by, who=who.subject, name=name, action=action, **about)
    log.info("act.done", action=action, by=who.subject)
    try:
        await services.store().acts.record(act)
    except problems.StoreUnavailable as problem:
        log.error("act.not_kept", problem, action=action, by=who.subject)
