"""Problems of sending, editing and deleting a message."""

from shared.problems.problem import Problem


class IdempotencyKeyMissing(Problem):
    status = 400
    title = "Send an Idempotency-Key header with every message"


class IdempotencyKeyInvalid(Problem):
    status = 400
    title = "The Idempotency-Key has characters that can't be used, or is too long"


class IdempotencyKeyReused(Problem):
    status = 422
    title = "This Idempotency-Key was used for another message"


class SendUnknown(Problem):
    status = 404
    title = "Nothing was sent with this key"


class SettledTooEarly(Problem):
    status = 409
    title = "The message may be on its way still, look again shortly"


class LineReleased(Problem):
    status = 409
    title = "The line was released: its conversations can only be read"


class LineInConflict(Problem):
    status = 409
    title = "The line's number is live on another line"


class NumberChanged(Problem):
    status = 409
    title = "The line has another number now: this conversation can only be read"


class LineRestricted(Problem):
    status = 409
    title = "WhatsApp doesn't let this number write to new contacts for now"


class NotOnWhatsapp(Problem):
    status = 422
    title = "This number is not on WhatsApp"


class GroupUnknown(Problem):
    status = 422
    title = "The line doesn't know this group, or isn't in it"


class ContentUnsupported(Problem):
    status = 422
    title = "The WhatsApp server can't send this kind of message"


class ContentRefused(Problem):
    status = 422
    title = "The WhatsApp server refused this message"


class FileUnreachable(Problem):
    status = 422
    title = "The file could not be fetched from its address"


class FileNotUploaded(Problem):
    status = 502
    again_after = 5
    title = "The file could not be handed to WhatsApp, try again shortly"


class FileTooLarge(Problem):
    status = 413
    title = "The file is too large for WhatsApp"


class SendingTooFast(Problem):
    status = 429
    title = "The line is sending too fast, try again shortly"


class NewContactsExhausted(Problem):
    status = 429
    title = "The line has written to as many new contacts as it may for now"


class NotSentYet(Problem):
    status = 409
    title = "The message was not sent, so it can't be changed"


class TooLateToChange(Problem):
    status = 409
    title = "WhatsApp doesn't let messages this old be changed"


class NotChangeable(Problem):
    status = 409
    title = "Only texts can be edited"


class ChangeUncertain(Problem):
    status = 504
    again_after = 5
    title = "Nobody knows whether the message was changed; asking again does no harm"
