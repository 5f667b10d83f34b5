"""Define the base class of problems and their registry (RFC 9457)."""

import re
from typing import Any, ClassVar

TYPE_PREFIX = "urn:perene:problem:"


class Problem(Exception):
    """A failure with a type, a status and a sentence.

    `detail` is for the caller and never carries a secret, a phone number or a person's words;
    `retry_after` (seconds) is also sent as the header of that name.
    """

    status: ClassVar[int]
    title: ClassVar[str]
    again_after: ClassVar[int | None] = None
    """Seconds after which the same request may succeed; None if waiting does not help."""
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
        """Return the last part of the type: the class's name in kebab case.

        Callers decide by it, so renaming a class breaks them.
        """
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def body(self) -> dict[str, Any]:
        """Return the JSON object that RFC 9457 describes, without empty members."""
        optional = {"detail": self.detail, "errors": self.errors, "retry_after": self.retry_after}
        return {
            "type": TYPE_PREFIX + self.slug(),
            "title": self.title,
            "status": self.status,
            **{name: value for name, value in optional.items() if value not in ("", None)},
        }
