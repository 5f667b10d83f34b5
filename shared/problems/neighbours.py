"""Problems of the servers and the database we depend on, and of our own code."""

from shared.problems.problem import Problem


class EvolutionUnreachable(Problem):
    status = 502
    again_after = 5
    title = "The WhatsApp server can't be reached"


class EvolutionTimedOut(Problem):
    status = 504
    again_after = 5
    title = "The WhatsApp server didn't answer in time"


class EvolutionFailed(Problem):
    status = 502
    again_after = 5
    title = "The WhatsApp server failed"


class EvolutionRefused(Problem):
    status = 502
    title = "The WhatsApp server refused to make the instance"


class EvolutionRefusedKey(Problem):
    status = 502
    title = "The WhatsApp server refused our key"


class ServerNotLicensed(Problem):
    status = 503
    title = "The WhatsApp server has no licence: somebody has to activate it"


class ServerUnknown(Problem):
    status = 503
    title = "The line's server is not configured on this deployment"


class StoreUnavailable(Problem):
    status = 503
    again_after = 2
    title = "The database can't be reached, try again shortly"


class BucketUnavailable(Problem):
    status = 503
    again_after = 5
    title = "The storage of media can't be reached, try again shortly"


class BucketRefused(Problem):
    status = 502
    title = "The storage of media refused us: its access has to be mended"


class RecordUnreadable(Problem):
    status = 500
    title = "A record in the database makes no sense: somebody has to mend it"


class WebhookForged(Problem):
    status = 401
    title = "The webhook's token is not valid"


class Unexpected(Problem):
    status = 500
    title = "Something failed on our side"
