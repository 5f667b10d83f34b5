"""Who can be signed in as on the local stack."""

from typing import Any, NamedTuple


class Person(NamedTuple):
    """Somebody of a tenant, or who runs the deployment."""

    subject: str
    name: str
    operator: bool = False

    def claims(self) -> dict[str, Any]:
        return {"sub": self.subject, "name": self.name} | (
            {"operator": True} if self.operator else {}
        )


KNOWN = (
    Person("demo", "Padaria Aurora"),
    Person("acme", "Oficina do Zé"),
    Person("operator", "Olívia", operator=True),
)


def person(subject: str) -> Person:
    """The one of that id: anybody may be a tenant here."""
    return next((each for each in KNOWN if each.subject == subject), Person(subject, subject))
