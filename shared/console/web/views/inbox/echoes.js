// Recognise the message of a send whose outcome is unknown, so that one thing that was said is one bubble.

const EARLIER_MS = 2 * 60_000;
const LATER_MS = 4 * 60_000;

/** Return the keys of the attempts whose message is among `messages`: ours, with no key yet, in the same words, about then. */
export function pairEchoes(attempts, messages) {
  const keys = new Set();
  const taken = new Set();
  for (const attempt of attempts) {
    if (attempt.state !== "confirming") continue;
    const echo = messages.find((message) => !taken.has(message.id) && isEcho(message, attempt));
    if (!echo) continue;
    taken.add(echo.id);
    keys.add(attempt.key);
  }
  return keys;
}

function isEcho(message, { kind, text, at }) {
  const isSame = message.kind === (kind === "audio" ? "voice" : kind) && (message.text ?? "").trim() === (text ?? "").trim();
  return isSame && message.from_me && !message.send && !message.revoked && message.at > at - EARLIER_MS && message.at < at + LATER_MS;
}
