"""Problems of lines, conversations, messages and pairing links: absent, busy, or full."""

from shared.problems.problem import Problem


class LineUnknown(Problem):
    status = 404
    title = "There is no such line"


class ConversationUnknown(Problem):
    status = 404
    title = "There is no such conversation"


class DeskFull(Problem):
    status = 409
    title = "There are as many labels, people or quick replies as there may be"


class NotesFull(Problem):
    status = 409
    title = "The conversation has as many notes as it may have"


class MessageUnknown(Problem):
    status = 404
    title = "There is no such message"


class MediaAbsent(Problem):
    status = 404
    title = "The message has no file, or WhatsApp doesn't keep it any more"


class MediaTooLarge(Problem):
    status = 413
    title = "The file is too large to be shown here"


class MediaNotStored(Problem):
    status = 409
    title = "The file isn't stored, so there is no link to it"


class RangeOutside(Problem):
    status = 416
    title = "The part that was asked for is outside of the file"


class CursorInvalid(Problem):
    status = 400
    title = "The cursor isn't one of ours"


class LineBusy(Problem):
    status = 409
    again_after = 2
    title = "The line is being changed by another call, try again shortly"


class LineNotOpen(Problem):
    status = 409
    title = "The line is not connected to WhatsApp"


class MaximumLinesReached(Problem):
    status = 409
    title = "Maximum lines reached for this tenant"


class MaximumInstancesReached(Problem):
    status = 503
    again_after = 60
    title = "Maximum instances reached"


class LinkUnknown(Problem):
    status = 404
    title = "This link is not one of ours"


class LinkExpired(Problem):
    status = 410
    title = "This link's time is over: ask for a new one"


class LinkUsed(Problem):
    status = 410
    title = "This link was opened already: ask for a new one"


class EndpointUnknown(Problem):
    status = 404
    title = "There is no such endpoint"


class EndpointDisabled(Problem):
    status = 409
    title = "The endpoint is disabled: enable it first"


class ReplayRunning(Problem):
    status = 409
    again_after = 60
    title = "The endpoint is being told something again already"


class MaximumEndpointsReached(Problem):
    status = 409
    title = "Maximum endpoints reached: delete one first"
