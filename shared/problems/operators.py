"""Problems of sweeps, and of what operators ask about the fleet."""

from shared.problems.problem import Problem


class SweepRunning(Problem):
    status = 409
    again_after = 60
    title = "That sweep is going on already"


class SweepNotStarted(Problem):
    status = 502
    again_after = 5
    title = "The sweep could not be started, try again shortly"


class CandidateUnknown(Problem):
    status = 404
    title = "There is no such candidate for deletion"


class CandidateGone(Problem):
    status = 409
    title = "Its deletion has begun already, or is over"


class ReportUnknown(Problem):
    status = 404
    title = "There is no such report"


class LetterUnknown(Problem):
    status = 404
    title = "There is no such dead letter"


class LetterCut(Problem):
    status = 409
    title = "The event was too large to be kept whole, so it can't be replayed"


class ServerAbsent(Problem):
    status = 404
    title = "There is no such server"


class TenantAbsent(Problem):
    status = 404
    title = "There is no such tenant"
