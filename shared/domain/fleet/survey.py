"""What a sweep saw of the world before it decides anything."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from shared.domain.fleet.candidates import Candidate
from shared.domain.instances import Instance, State
from shared.domain.names import InstanceName, TenantId
from shared.domain.tenants import Status, Tenant
from shared.domain.upstream import Sighting


class Before(Struct, frozen=True):
    """What the last sweep that nothing stopped has seen; nothing is known before the first."""

    tenants: int = 0
    living: int = 0
    """Tenants that weren't cancelled."""
    carried: Mapping[str, int] = field(default_factory=dict)
    """Instances of ours, by server."""
    forgotten: bool = False


class Survey(Struct, frozen=True):
    """Who is there (None: unreadable), what they claim, and what servers carry.

    `seen` has no entry for a server that didn't answer. `vague` are servers that don't tell the
    number of an instance that isn't connected. `strangers` are (server, name) of instances whose
    webhook goes elsewhere.
    """

    tenants: Mapping[TenantId, Tenant] | None
    lines: Mapping[InstanceName, Instance]
    seen: Mapping[str, Mapping[InstanceName, Sighting]]
    servers: frozenset[str]
    candidates: Mapping[str, Candidate]
    before: Before = field(default_factory=Before)
    vague: frozenset[str] = frozenset()
    strangers: frozenset[tuple[str, InstanceName]] = frozenset()
    unreadable: frozenset[str] = frozenset()
    """Ids of unreadable documents: what they are about is left alone."""
    unclear_servers: frozenset[str] = frozenset()
    """Servers of unreadable candidates."""
    owners: Mapping[str, InstanceName] = field(default_factory=dict)
    """Whose each number is, as the claims say."""
    seats: Mapping[str, Sequence[InstanceName]] = field(default_factory=dict)
    """By server: whose the slots are that are taken."""

    @property
    def silent(self) -> frozenset[str]:
        """List the servers whose census failed."""
        return self.servers - self.seen.keys()

    def sighting_of(self, line: Instance) -> Sighting | None:
        """Return what its own server says of a line's instance."""
        return self.seen.get(line.server, {}).get(line.name)

    def living(self) -> int:
        """Count the tenants that aren't cancelled."""
        tenants = (self.tenants or {}).values()
        return sum(tenant.status is not Status.CANCELLED for tenant in tenants)


ELSEWHERE = (State.CREATING, State.RELEASING, State.MISSING)
"""States in which it says nothing that the server has no such instance."""
