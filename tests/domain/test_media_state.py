"""When the copy of a file is due, and when it is given up."""

from datetime import timedelta
from typing import Any

from shared.domain import media_state
from shared.domain.content import Kind
from shared.domain.content.media_files import Media
from shared.domain.instances import epoch_ms
from shared.domain.kept_messages import KeptMessage
from shared.domain.media_state import (
    ATTEMPTS_WHEN_GONE,
    PUSH_MS,
    RETRY_MINUTES,
    CopyFailure,
    GiveUp,
    MediaCopy,
    MediaLoss,
    MediaState,
    RetryAt,
)
from tests.builders import NOON
from tests.cases import in_each
from tests.domain.test_kept_messages import kept

NOW = epoch_ms(NOON)
PHOTO = {"kind": Kind.IMAGE, "media": Media(mimetype="image/png")}
MINUTE = 60_000


def a_photo(**fields: Any) -> KeptMessage:
    return kept(**{**PHOTO, "at": NOW, **fields})


@in_each(
    ("message", "due"),
    [
        (a_photo(), NOW + PUSH_MS),
        (a_photo(view_once=True), None),
        (a_photo(at=NOW - 10), None),
        (kept(at=NOW), None),
        (a_photo(media=None), None),
        (a_photo(kind=Kind.BUTTONS), None),
    ],
)
def test_new_file_is_due_soon(message: KeptMessage, due: int | None):
    assert media_state.plan_copy(message, NOW, NOW - 5).media_due == due


@in_each(
    ("failure", "tries", "outcome"),
    [
        (CopyFailure.TRANSIENT, 1, RetryAt(NOW + MINUTE, 1)),
        (CopyFailure.TRANSIENT, 3, RetryAt(NOW + 15 * MINUTE, 3)),
        (CopyFailure.TRANSIENT, len(RETRY_MINUTES), RetryAt(NOW + 1440 * MINUTE, 8)),
        (CopyFailure.TRANSIENT, len(RETRY_MINUTES) + 1, GiveUp(MediaLoss.UNOBTAINABLE)),
        (CopyFailure.GONE, ATTEMPTS_WHEN_GONE - 1, RetryAt(NOW + 60 * MINUTE, 4)),
        (CopyFailure.GONE, ATTEMPTS_WHEN_GONE, GiveUp(MediaLoss.EXPIRED)),
        (CopyFailure.NO_INSTANCE, 1, GiveUp(MediaLoss.UNOBTAINABLE)),
        (CopyFailure.TOO_LARGE, 1, GiveUp(MediaLoss.TOO_LARGE)),
        (CopyFailure.BUCKET, 99, RetryAt(NOW + 10 * MINUTE, 98)),
    ],
)
def test_file_is_given_up_in_time(failure: CopyFailure, tries: int, outcome: RetryAt | GiveUp):
    assert media_state.decide_after_failure(failure, tries, NOW) == outcome


def test_retries_take_days():
    assert timedelta(minutes=sum(RETRY_MINUTES)) > timedelta(days=1)


COPY = MediaCopy(sha256="ab", size=2)


@in_each(
    ("message", "state"),
    [
        (a_photo(), None),
        (a_photo(media_due=1), MediaState.DUE),
        (a_photo(media_due=1, media_copy=COPY), MediaState.DUE),
        (a_photo(media_copy=COPY), MediaState.STORED),
        (a_photo(media_lost=MediaLoss.EXPIRED), MediaState.EXPIRED),
    ],
)
def test_state_of_a_copy_is_shown(message: KeptMessage, state: MediaState | None):
    assert message.media_state is state


@in_each("loss", MediaLoss)
def test_every_loss_is_a_state(loss: MediaLoss):
    assert a_photo(media_lost=loss).media_state == loss


def test_file_is_tried_at_once_and_then_when_due():
    assert a_photo(media_due=NOW + 1).may_try_media(NOW)
    assert not a_photo(media_due=NOW + 1, media_tries=1).may_try_media(NOW)
    assert a_photo(media_due=NOW, media_tries=1).may_try_media(NOW)
    assert not a_photo().may_try_media(NOW)
