"""Hold a plain text."""

from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind


class TextContent(BaseContent):
    """Words."""

    kind: Literal[Kind.TEXT]
