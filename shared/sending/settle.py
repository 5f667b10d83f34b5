"""Let a person say what became of an uncertain send. Nothing is sent here."""

from shared import log, problems, services
from shared.domain import sends
from shared.domain.names import TenantId
from shared.domain.sends import Send
from shared.sending import edit_delete, reconcile

TRIES = 6


async def settle_send(tenant: TenantId, key: str, *, sent: bool) -> Send:
    """Record whether a person saw that an uncertain send was sent; return the send as it is now.

    What the server's evidence says counts more, also later: an echo still becomes the send's
    message. One that wasn't sent may be asked for again with the same key. A send whose outcome is
    known stays as it is. Idempotent. Raises SendUnknown, SettledTooEarly, LineBusy.

    Firestore: those of `edit_delete.require_send`, 1 write (2 if it wasn't sent).
    """
    for _ in range(TRIES):
        send = await edit_delete.require_send(tenant, key)
        match sends.decide_answer(send, services.now(), sent=sent):
            case sends.Settled():
                return send
            case sends.TooEarly(seconds):
                raise problems.SettledTooEarly(retry_after=seconds)
            case sends.Answered(answered):
                if stored := await reconcile.record_change(send, answered):
                    log.info("send.answered", line=send.line, sent=sent)
                    return stored
    raise problems.LineBusy()
