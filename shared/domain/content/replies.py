"""Hold what a person chose or filled in."""

from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, MaybeCode, Piece


class Choice(Piece):
    """What was chosen: its id, and what stood below it."""

    id: MaybeCode = None
    description: str | None = None


class FormAnswer(Piece):
    """One field of a form: its technical name, a name for people, and what was filled in."""

    name: str
    label: str | None = None
    value: str = ""

    def words(self) -> tuple[str, ...]:
        """Read the field and its value."""
        return tuple(filter(None, (self.label or self.name, self.value)))


class Form(Piece):
    """A form that was filled in. `name` is upstream's word for the sort of form."""

    answers: tuple[FormAnswer, ...] = ()


class ChoiceContent(BaseContent):
    """A choice; `text` is what stands on the button or entry."""

    kind: Literal[Kind.BUTTON_REPLY, Kind.LIST_REPLY]
    choice: Choice | None = None


class FormContent(BaseContent):
    """A filled form; WhatsApp sends no words beside it that the person wrote."""

    kind: Literal[Kind.FORM_REPLY]
    form: Form | None = None

    def headlines(self) -> tuple[str | None, ...]:
        """Show the answers in one line."""
        answers = self.form.answers if self.form else ()
        return (self.text, " · ".join(": ".join(answer.words()) for answer in answers))
