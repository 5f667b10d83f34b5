"""Every failure has a name that never changes."""

from shared import problems
from shared.problems import Problem
from tests.cases import in_each

SLUGS = [
    "token-missing",
    "token-invalid",
    "token-expired",
    "auth-not-configured",
    "issuer-unreachable",
    "not-allowed",
    "tenant-unusable",
    "tenant-unknown",
    "tenant-suspended",
    "tenant-cancelled",
    "no-such-path",
    "method-not-allowed",
    "body-too-large",
    "body-too-slow",
    "body-not-json",
    "body-malformed",
    "request-invalid",
    "line-unknown",
    "link-unknown",
    "link-expired",
    "link-used",
    "conversation-unknown",
    "message-unknown",
    "desk-full",
    "notes-full",
    "media-absent",
    "media-not-stored",
    "media-too-large",
    "cursor-invalid",
    "endpoint-unknown",
    "endpoint-disabled",
    "replay-running",
    "maximum-endpoints-reached",
    "line-busy",
    "line-not-open",
    "maximum-lines-reached",
    "maximum-instances-reached",
    "idempotency-key-missing",
    "idempotency-key-invalid",
    "idempotency-key-reused",
    "send-unknown",
    "settled-too-early",
    "line-released",
    "line-in-conflict",
    "number-changed",
    "line-restricted",
    "not-on-whatsapp",
    "group-unknown",
    "content-unsupported",
    "content-refused",
    "file-unreachable",
    "file-not-uploaded",
    "file-too-large",
    "sending-too-fast",
    "new-contacts-exhausted",
    "not-sent-yet",
    "too-late-to-change",
    "not-changeable",
    "change-uncertain",
    "range-outside",
    "record-unreadable",
    "sweep-running",
    "sweep-not-started",
    "candidate-unknown",
    "candidate-gone",
    "report-unknown",
    "letter-unknown",
    "letter-cut",
    "server-absent",
    "tenant-absent",
    "evolution-unreachable",
    "evolution-timed-out",
    "evolution-failed",
    "evolution-refused",
    "evolution-refused-key",
    "server-not-licensed",
    "server-unknown",
    "store-unavailable",
    "bucket-unavailable",
    "bucket-refused",
    "webhook-forged",
    "unexpected",
]
"""Callers decide by these. A new one is added here; one that is here stays as it is."""

KINDS = [
    member
    for member in vars(problems).values()
    if isinstance(member, type) and member is not Problem
]
EVERY = [kind for kind in KINDS if issubclass(kind, Problem)]
every_problem = in_each("kind", EVERY, ids=lambda kind: kind.slug())


class AProblem(Problem):
    status = 409
    title = "Something is in the way"


def test_names_of_all_problems_are_these():
    assert sorted(kind.slug() for kind in EVERY) == sorted(SLUGS)


@every_problem
def test_problem_is_found_by_its_name(kind: type[Problem]):
    assert Problem.registry[kind.slug()] is kind


@every_problem
def test_a_problem_is_somebodys_fault(kind: type[Problem]):
    assert 400 <= kind.status <= 599


@every_problem
def test_problem_has_sentence_for_person(kind: type[Problem]):
    assert kind.title[0].isupper()
    assert not kind.title.endswith(".")
    assert len(kind.title) < 80


def test_no_two_problems_say_the_same():
    assert len({kind.title for kind in EVERY}) == len(EVERY)


@every_problem
def test_body_has_what_standard_asks_for(kind: type[Problem]):
    body = kind().body()

    expected = {
        "type": f"urn:perene:problem:{kind.slug()}",
        "title": kind.title,
        "status": kind.status,
    }
    again = {"retry_after": kind.again_after} if kind.again_after else {}
    assert body == expected | again


def test_body_carries_optional_fields():
    errors = [{"field": "line", "message": "too long"}]

    body = AProblem("Not now.", retry_after=7, errors=errors).body()

    assert (body["detail"], body["retry_after"], body["errors"]) == ("Not now.", 7, errors)


def test_zero_retry_after_is_shown():
    assert AProblem(retry_after=0).body()["retry_after"] == 0


def test_exception_shows_detail_or_title():
    assert str(AProblem("Not now.")) == "Not now."
    assert str(AProblem()) == AProblem.title
