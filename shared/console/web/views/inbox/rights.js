// Decide what a person can do with a message.

const EDITABLE_MS = 15 * 60_000;
const DELETABLE_MS = 2 * 24 * 3_600_000;
const MUTE_KINDS = new Set(["notice", "call", "waiting"]);

/**
 * List what can be done: {reply, react, copy, edit, remove}. `mute`: the line can't send. WhatsApp lets a text be edited for 15
 * minutes and a message be deleted for two days, if it was sent from here (`send` is its key).
 */
export function rightsOver(message, { mute, now }) {
  const { revoked, from_me: mine, send, kind, at, text, said } = message;
  if (revoked) return { reply: false, react: false, copy: false, edit: false, remove: false };
  const answerable = !mute && !said && kind !== "notice";
  const changeable = answerable && mine && Boolean(send);
  return {
    reply: answerable,
    react: answerable && !MUTE_KINDS.has(kind),
    copy: Boolean(text),
    edit: changeable && kind === "text" && now - at < EDITABLE_MS,
    remove: changeable && now - at < DELETABLE_MS,
  };
}
