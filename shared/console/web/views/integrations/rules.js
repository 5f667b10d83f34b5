// Decide what is shown of an endpoint, and what may be asked for. No page and no call in here.

const DAY_MS = 86_400_000;
const REPLAYABLE_DAYS = 30;

/** What the log tells, in the groups in which a person chooses. */
export const TYPES = [
  "message.received",
  "message.sent",
  "message.updated",
  "message.failed",
  "send.settled",
  "conversation.updated",
  "line.state_changed",
  "line.code_changed",
  "line.restricted",
];

const TONES = { ok: "good", holding: "warn", failing: "bad", disabled: "" };

/** Return the tone of the chip that names an endpoint's condition. */
export const toneOf = ({ condition }) => TONES[condition] ?? "";

/** Return the name of the sentence that explains a condition, or null where there is nothing to explain. */
export function reasonOf({ condition, reason }) {
  if (condition === "ok") return null;
  return condition === "disabled" ? `disabled.${reason ?? "asked"}` : condition;
}

/** Name an endpoint: by its description, else by its host. */
export const nameOf = ({ description, url }) => description?.trim() || hostOf(url);

const hostOf = (url) => (URL.canParse(url) ? new URL(url).host : url);

/** Split an age in seconds into its largest unit, for the lag: {n, unit}. */
export function splitLag(seconds) {
  if (seconds < 60) return { n: seconds, unit: "seconds" };
  if (seconds < 3_600) return { n: Math.round(seconds / 60), unit: "minutes" };
  if (seconds < 172_800) return { n: Math.round(seconds / 3_600), unit: "hours" };
  return { n: Math.round(seconds / 86_400), unit: "days" };
}

/** Say what is wrong with an address before it is sent: "empty", "address", or null. The function decides the rest. */
export function findUrlFault(text) {
  const url = text.trim();
  if (!url) return "empty";
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? null : "address";
}

/**
 * Read a span to tell again, as two inputs of type datetime-local say it: {from, to?} for the API, or {fault}: "empty", "order"
 * or "old". An empty end is now.
 */
export function readSpan(from, to, now) {
  if (!from) return { fault: "empty" };
  const [start, end] = [new Date(from).getTime(), to ? new Date(to).getTime() : now];
  if (start >= end || start >= now) return { fault: "order" };
  if (now - start > REPLAYABLE_DAYS * DAY_MS) return { fault: "old" };
  return { from: new Date(start).toISOString(), ...(to ? { to: new Date(Math.min(end, now)).toISOString() } : {}) };
}

/** Write a time as an input of type datetime-local takes it, in the browser's zone. */
export function toLocalInput(ms) {
  const shifted = ms - new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 16);
}

/** Name an attempt's outcome: {tone, key} of a sentence. `status` is shown where an answer came. */
export function outcomeOf({ succeeded, status, failure, given_up: isGivenUp }) {
  if (succeeded) return { tone: "good", key: "answered" };
  const tone = isGivenUp ? "bad" : "warn";
  return status ? { tone, key: "answered" } : { tone, key: failure ?? "unreachable" };
}

/** Return the two lines that verify a delivery, in a language. They are code: nobody translates them. */
export const verifyingLines = (language) =>
  language === "python"
    ? ["from standardwebhooks import Webhook", "event = Webhook(secret).verify(body, headers)"]
    : ['const { Webhook } = require("standardwebhooks");', "const event = new Webhook(secret).verify(body, headers);"];
