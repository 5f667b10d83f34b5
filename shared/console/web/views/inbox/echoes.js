// Recognise the message of a send that isn't answered, so that one thing that was said is one bubble.

/** How much earlier, in ms, than its attempt a message may be, by the clocks; a request that is under way was only just made. */
const EARLIER_MS = { confirming: 2 * 60_000, sending: 3_000 };
const LATER_MS = 4 * 60_000;

/** Return the keys of the attempts whose message is among `messages`: ours, with no key yet, in the same words, about then. */
export function pairEchoes(attempts, messages) {
  const keys = new Set();
  const taken = new Set();
  for (const attempt of attempts) {
    if (!(attempt.state in EARLIER_MS)) continue;
    const echo = messages.find((message) => !taken.has(message.id) && isEcho(message, attempt));
    if (!echo) continue;
    taken.add(echo.id);
    keys.add(attempt.key);
  }
  return keys;
}

function isEcho(message, { kind, text, at, state }) {
  const isSame = message.kind === (kind === "audio" ? "voice" : kind) && (message.text ?? "").trim() === (text ?? "").trim();
  return isSame && message.from_me && !message.send && !message.revoked && message.at > at - EARLIER_MS[state] && message.at < at + LATER_MS;
}
