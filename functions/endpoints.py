"""Where events go: a tenant's endpoints, or those of operators for all tenants."""

import re
import secrets
from datetime import datetime

import functions_framework.aio
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, log, problems, services, web
from shared.domain import endpoints as rules
from shared.domain.endpoints import (
    EVERYBODY,
    DisabledReason,
    Endpoint,
    EndpointState,
    Replay,
)
from shared.domain.event_types import EventType, LogPart
from shared.domain.names import TenantId
from shared.domain.record import Record
from shared.lines import access
from shared.outbound import signatures
from shared.outbound.endpoint_views import (
    AttemptList,
    AttemptView,
    EndpointChange,
    EndpointList,
    EndpointSecret,
    EndpointView,
    EndpointWanted,
    ReplayWanted,
    attempt_view,
    endpoint_view,
)
from shared.outbound.facts import Event
from shared.outbound.incidents import update_incident

edge = web.Edge("endpoints", "/endpoints")

PROBLEMS = (*web.TENANT_PROBLEMS, problems.NotAllowed, problems.RequestInvalid)
OF_ONE = (*PROBLEMS, problems.EndpointUnknown)
_ID = re.compile(r"ep_[0-9a-f]{24}")


class Whose(Record):
    """Whose endpoints are meant: the caller's, or those of operators for all tenants."""

    model_config = ConfigDict(extra="forbid")

    everybody: bool = Field(
        default=False, description="Operators: the endpoints that are told of all tenants"
    )


@edge.route("GET", "/", asks=Whose, answers={200: EndpointList}, problems=PROBLEMS)
async def list_endpoints(request: Request) -> EndpointList:
    """List the endpoints."""
    owner, now = await _require_owner(request), services.now()
    endpoints = await services.store().endpoints.list_of_tenant(owner)
    return EndpointList(endpoints=[endpoint_view(endpoint, now) for endpoint in endpoints])


@edge.route(
    "POST",
    "/",
    asks=Whose,
    takes=EndpointWanted,
    answers={201: EndpointSecret},
    problems=(*PROBLEMS, *web.BODY_PROBLEMS, problems.MaximumEndpointsReached),
)
async def create_endpoint(request: Request) -> web.Reply:
    """Tell a URL what happens from now on. The answer has the secret that signs it, this once."""
    owner, now = await _require_owner(request), services.now()
    wanted = await web.parse_body(EndpointWanted, request)
    endpoint = Endpoint(
        id=f"ep_{secrets.token_hex(12)}",
        tenant=owner,
        **wanted.model_dump(),
        created_at=now,
        secret=signatures.draw_secret(),
        cursor=_position_at(now),
        moved_at=now,
    )
    if not await services.store().endpoints.create(endpoint):
        raise problems.MaximumEndpointsReached()
    log.info("endpoint.created", endpoint=endpoint.id)
    return _show_secret(endpoint, now, 201)


@edge.route("GET", "/{id}", asks=Whose, answers={200: EndpointView}, problems=OF_ONE)
async def get_endpoint(request: Request) -> EndpointView:
    """Show an endpoint: how far behind it is, and what it waits for."""
    return endpoint_view(await _require_endpoint(request), services.now())


@edge.route(
    "PATCH",
    "/{id}",
    asks=Whose,
    takes=EndpointChange,
    answers={200: EndpointView},
    problems=(*OF_ONE, *web.BODY_PROBLEMS),
)
async def change_endpoint(request: Request) -> EndpointView:
    """Change an endpoint, disable it, or enable it again from now on."""
    endpoint, now = await _require_endpoint(request), services.now()
    wanted = await web.parse_body(EndpointChange, request)
    fields = wanted.model_dump(exclude_none=True, exclude={"state"})

    def decide(current: Endpoint) -> Endpoint:
        return _switch(current.model_copy(update=fields), wanted.state, now)

    changed = await services.store().endpoints.change(endpoint.id, decide)
    if changed is None:
        raise problems.EndpointUnknown()
    if endpoint.has_failed:
        await update_incident(endpoint.tenant)
    return endpoint_view(changed, now)


@edge.route("DELETE", "/{id}", asks=Whose, answers={204: None}, problems=OF_ONE)
async def delete_endpoint(request: Request) -> web.Reply:
    """Delete an endpoint, also one whose record is unreadable: it is told nothing more."""
    owner, name = await _require_owner(request), _read_name(request)
    if await services.store().endpoints.find_tenant(name) != owner:
        raise problems.EndpointUnknown()
    await services.store().endpoints.delete(name, owner)
    await update_incident(owner)
    log.info("endpoint.deleted", endpoint=name)
    return web.Reply(status=204)


@edge.route("POST", "/{id}/rotate", asks=Whose, answers={200: EndpointSecret}, problems=OF_ONE)
async def rotate_endpoint_secret(request: Request) -> web.Reply:
    """Give an endpoint a new secret, shown this once; the present one signs as well for a day."""
    endpoint, now = await _require_endpoint(request), services.now()
    secret = signatures.draw_secret()
    rotated = await services.store().endpoints.change(
        endpoint.id, lambda current: rules.rotate(current, secret, now)
    )
    if rotated is None:
        raise problems.EndpointUnknown()
    return _show_secret(rotated, now, 200)


@edge.route("POST", "/{id}/test", asks=Whose, answers={200: AttemptView}, problems=OF_ONE)
async def test_endpoint(request: Request) -> AttemptView:
    """Post an `endpoint.test` event, signed as all are, and show what the endpoint answered."""
    from shared.outbound import delivery_attempts  # hardly any request is a test

    endpoint, now = await _require_endpoint(request), services.now()
    event = Event(
        id=f"test_{secrets.token_hex(8)}",
        type=EventType.ENDPOINT_TEST,
        timestamp=now,
        data={"endpoint": endpoint.id},
        tenant=endpoint.tenant,
    )
    attempt = await delivery_attempts.post_event(endpoint, event)
    await services.store().endpoints.keep_attempt(endpoint.id, attempt)
    return attempt_view(attempt)


@edge.route(
    "POST",
    "/{id}/replay",
    asks=Whose,
    takes=ReplayWanted,
    answers={202: EndpointView},
    problems=(
        *OF_ONE,
        *web.BODY_PROBLEMS,
        problems.EndpointDisabled,
        problems.ReplayRunning,
    ),
)
async def replay_events(request: Request) -> web.Reply:
    """Tell an endpoint again what the log has from a time on; each event says `perene-replay`."""
    endpoint, now = await _require_endpoint(request), services.now()
    wanted = _plan_replay(await web.parse_body(ReplayWanted, request), now)

    def decide(current: Endpoint) -> Endpoint:
        if not current.is_active:
            raise problems.EndpointDisabled()
        if current.replay:
            raise problems.ReplayRunning()
        return current.model_copy(update={"replay": wanted})

    changed = await services.store().endpoints.change(endpoint.id, decide)
    if changed is None:
        raise problems.EndpointUnknown()
    await services.poke(endpoint.tenant, *LogPart)
    return web.Reply(endpoint_view(changed, now), 202)


@edge.route("GET", "/{id}/attempts", asks=Whose, answers={200: AttemptList}, problems=OF_ONE)
async def list_attempts(request: Request) -> AttemptList:
    """List what an endpoint was told lately and how it answered."""
    endpoint = await _require_endpoint(request)
    failed = await services.store().endpoints.list_failed(endpoint.id)
    newest_first = sorted((*endpoint.recent, *failed), key=lambda one: one.at, reverse=True)
    return AttemptList(attempts=list(map(attempt_view, newest_first)))


def _plan_replay(wanted: ReplayWanted, now: datetime) -> Replay:
    """Return the replay that is asked for. Raises RequestInvalid."""
    until = min(wanted.until or now, now)
    if not now - rules.REPLAYABLE <= wanted.since < until:
        fault = {"field": "from", "message": "It must be within 30 days, and before `to`"}
        raise problems.RequestInvalid(errors=[fault])
    return Replay(position=_position_at(wanted.since), until=until, asked_at=now)


def _switch(endpoint: Endpoint, state: EndpointState | None, now: datetime) -> Endpoint:
    """Return the endpoint in the state that is asked for."""
    if state is None or state is endpoint.state:
        return endpoint
    if state is EndpointState.DISABLED:
        return rules.disable(endpoint, DisabledReason.ASKED, now)
    return rules.enable(endpoint, _position_at(now), now)


def _position_at(moment: datetime) -> str:
    """Return the position of an endpoint to which all is told that happens from then on."""
    from shared.outbound import event_log  # it loads all that events tell

    return event_log.position_at(moment)


def _show_secret(endpoint: Endpoint, now: datetime, status: int) -> web.Reply:
    return web.Reply(
        EndpointSecret(endpoint=endpoint_view(endpoint, now), secret=endpoint.secret), status
    )


async def _require_owner(request: Request) -> TenantId:
    """Return whose endpoints the caller may see: its tenant's, or for operators `EVERYBODY`."""
    if web.parse_query(Whose, request).everybody:
        await auth.require_operator(request)
        return EVERYBODY
    tenant = await auth.require_tenant(request)
    access.require_active(await services.store().tenants.find(tenant))
    return tenant


async def _require_endpoint(request: Request) -> Endpoint:
    """Return the endpoint of the path, if it is one of the caller's. Raises EndpointUnknown."""
    owner, name = await _require_owner(request), _read_name(request)
    endpoint = await services.store().endpoints.find(name)
    if endpoint is None or endpoint.tenant != owner:
        raise problems.EndpointUnknown()
    return endpoint


def _read_name(request: Request) -> str:
    """Return the endpoint's id in the path. Raises EndpointUnknown for what can't be one."""
    name: str = request.path_params["id"]
    if not _ID.fullmatch(name):
        raise problems.EndpointUnknown()
    return name


@functions_framework.aio.http
async def endpoints(request: Request) -> Response:
    """Answer `/endpoints`, `/endpoints/{id}`, and what is below it."""
    return await edge.answer(request)
