"""List the identities that the local sign-in offers."""

from typing import Any, NamedTuple


class Identity(NamedTuple):
    """A tenant's user, or an operator of the deployment."""

    subject: str
    name: str
    operator: bool = False

    def claims(self) -> dict[str, Any]:
        return {"sub": self.subject, "name": self.name} | (
            {"operator": True} if self.operator else {}
        )


IDENTITIES = (
    Identity("demo", "Padaria Aurora"),
    Identity("acme", "Oficina do Zé"),
    Identity("operator", "Olívia", operator=True),
)


def identity_of(subject: str) -> Identity:
    """Return the identity of a subject; an unknown subject is a tenant of that name."""
    matches = (identity for identity in IDENTITIES if identity.subject == subject)
    return next(matches, Identity(subject, subject))
