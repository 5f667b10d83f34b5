// Hold what this browser is sending: every message keeps one key for all its attempts, until its outcome is known. Those of
// a conversation leave one after the other, in the order in which they were written; without a network they wait for it.

import { signal } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { now } from "../../clock.js";
import { has, t } from "../../i18n/index.js";
import { remember, recall } from "../../memory.js";
import { buildBody } from "./attach.js";
import { keepFile } from "./files.js";

const STORAGE_NAME = "outbox";
const PAUSES_MS = [2_000, 5_000, 5_000, 10_000, 20_000];
/** How often a request that surely never arrived is repeated by itself. */
const REPEATS = 5;
/** The beginning of the key of a reaction, which isn't shown as a message. */
const REACTION = "reaction-";

/**
 * The attempts: {key, conversation, at, kind, text, body, blob, file, state, error, until, unanswered, repeats}. state is
 * "sending" (or awaiting its turn), "offline" (awaiting the network), "confirming" (the outcome is unknown; unanswered: also
 * whether the request arrived), "waiting" (too fast; sent again at `until`) or "failed" (surely not sent). `blob` is the file
 * of an attachment, which no storage keeps; `adopted` ones were sent by another page.
 */
export const attempts = signal((recall(STORAGE_NAME, "session") ?? []).map(interrupt));
const listeners = new Set();
const asking = new Set();
/** The conversations for which a request is under way. */
const posting = new Set();

addEventListener("online", () => {
  for (const attempt of attempts.value) if (attempt.state === "offline") retry(attempt.key);
});

/** Call `listener({conversation, message, send, problem})` with the outcome of every attempt; returns a function that ends it. */
export function onOutcome(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Send a body, or a file (`shown.blob`) with its caption, under a new key, which stays for all its attempts. */
export function dispatch(conversation, body, shown) {
  const attempt = { key: crypto.randomUUID(), conversation, body, at: now(), ...shown };
  setAttempts([...attempts.value, { ...attempt, state: "sending" }]);
  postNext(conversation);
}

/** React to a message, or with an empty emoji take it back. Rejects with ApiError. */
export function react(conversation, message, emoji) {
  return api.post(messagesOf(conversation), { reaction: { message, emoji } }, { key: REACTION + crypto.randomUUID() });
}

/** Tell whether an attempt can be sent again from here. */
export const isRepeatable = ({ body, blob, file }) => Boolean(body) && (!file || Boolean(blob));

/** Send an attempt again with the same key, so that a message that did go out isn't sent twice. */
export function retry(key) {
  changeAttempt(key, { state: "sending", error: null });
  postNext(findAttempt(key).conversation);
}

/** Remove an attempt from the page. */
export function dropAttempt(key) {
  const attempt = findAttempt(key);
  if (!attempt) return;
  setAttempts(attempts.value.filter((other) => other !== attempt));
  postNext(attempt.conversation);
}

/** Remove an attempt whose message is there; the message shows the file that was sent. */
export function settleAttempt(key, conversation, message) {
  keepFile(conversation, message, findAttempt(key)?.blob);
  dropAttempt(key);
}

/** Say what a person saw on the phone of an uncertain send: it went out, or it didn't. Rejects with ApiError. */
export async function settle(key, sent) {
  const answer = await api.post(`send-message/${encodeURIComponent(key)}/settle`, { sent });
  if (findAttempt(key)) handleOutcome(key, answer);
}

/** Show a send whose outcome the functions report as unknown, and poll for it. */
export function adoptSend({ key, conversation, text, asked_at: asked }) {
  if (key.startsWith(REACTION)) return;
  const attempt = { key, conversation, text, kind: "text", at: Date.parse(asked), state: "confirming", adopted: true };
  if (!findAttempt(key)) setAttempts([...attempts.value, attempt]);
  else if (findAttempt(key).state === "failed") changeAttempt(key, { state: "confirming" });
  pollOutcome(key);
}

/** Poll for the outcomes that a reload of the page interrupted. */
export function resumeAttempts() {
  for (const attempt of attempts.value) if (attempt.state === "confirming") pollOutcome(attempt.key);
}

/** Post the first attempt of a conversation that may still leave, unless another is about to, or may be. */
async function postNext(conversation) {
  const next = attempts.value.find((attempt) => attempt.conversation === conversation && holdsOthers(attempt));
  if (next?.state !== "sending" || posting.has(conversation)) return;
  if (!navigator.onLine) return changeAttempt(next.key, { state: "offline" });
  posting.add(conversation);
  await post(next).finally(() => posting.delete(conversation));
  postNext(conversation);
}

function holdsOthers({ state, unanswered }) {
  return ["sending", "waiting", "offline"].includes(state) || (state === "confirming" && unanswered);
}

/** Return an attempt of a page that is gone as one whose outcome has to be asked for. */
function interrupt(attempt) {
  return { ...attempt, state: "confirming", unanswered: holdsOthers(attempt) };
}

async function post({ key, conversation, body, blob, text }) {
  try {
    const whole = blob ? { ...body, ...(await buildBody(blob, text)) } : body;
    handleOutcome(key, await api.post(messagesOf(conversation), whole, { key, timeout: 100_000 }));
  } catch (error) {
    handleFailure(key, error);
  }
}

function handleFailure(key, error) {
  if (!findAttempt(key)) return;
  if (error instanceof DOMException) changeAttempt(key, { state: "failed", error: t("inbox.composer.unreadable") });
  else if (error.kind === "network" || error.kind === "timeout" || (error.status >= 500 && !error.problem)) {
    changeAttempt(key, { state: "confirming", unanswered: true });
    pollOutcome(key);
  } else if (error.status === 429 && error.problem === "sending-too-fast") {
    const wait = Math.max(1, error.retryAfter ?? 5) * 1000;
    changeAttempt(key, { state: "waiting", until: Date.now() + wait });
    setTimeout(() => findAttempt(key)?.state === "waiting" && retry(key), wait);
  } else {
    changeAttempt(key, { state: "failed", error: sentence(error) });
    notify({ problem: error.problem });
  }
}

function handleOutcome(key, { status, data, retryAfter }) {
  if (status === 202) {
    changeAttempt(key, { state: "confirming", unanswered: false });
    return pollOutcome(key, retryAfter);
  }
  if (data.state === "failed") return changeAttempt(key, { state: "failed", error: whyNot(data.why) });
  notify({ conversation: data.conversation, message: data.message, send: data });
  if (data.message) settleAttempt(key, data.conversation, data.message);
  else dropAttempt(key);
}

async function pollOutcome(key, after) {
  if (asking.has(key)) return;
  asking.add(key);
  for (let round = 0; findAttempt(key)?.state === "confirming"; round++) {
    await pause(round === 0 && after ? after * 1000 : PAUSES_MS[Math.min(round, PAUSES_MS.length - 1)]);
    if (findAttempt(key)?.state !== "confirming") break;
    try {
      const answer = await api.get(`send-message/${encodeURIComponent(key)}`);
      if (answer.status !== 202) handleOutcome(key, answer);
      else changeAttempt(key, { unanswered: false });
    } catch (error) {
      if (error.problem === "send-unknown") repeat(key);
      else if (error.kind === "expired") break;
    }
  }
  asking.delete(key);
}

/** Send again what surely never arrived, with the same key. */
function repeat(key) {
  const attempt = findAttempt(key);
  const { repeats = 0 } = attempt;
  if (!isRepeatable(attempt) || repeats >= REPEATS) return changeAttempt(key, { state: "failed", error: t("inbox.send.neverArrived") });
  changeAttempt(key, { repeats: repeats + 1 });
  retry(key);
}

async function pause(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (document.visibilityState === "visible") return;
  await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

const messagesOf = (conversation) => `conversations/${encodeURIComponent(conversation)}/messages`;
const whyNot = (why) => (has(`inbox.send.why.${why}`) ? t(`inbox.send.why.${why}`) : t("inbox.send.why.invalid"));
const findAttempt = (key) => attempts.value.find((attempt) => attempt.key === key);
const notify = (result) => listeners.forEach((listener) => listener(result));

function changeAttempt(key, news) {
  setAttempts(attempts.value.map((attempt) => (attempt.key === key ? { ...attempt, ...news } : attempt)));
  const changed = findAttempt(key);
  if (changed && !holdsOthers(changed)) postNext(changed.conversation);
}

function setAttempts(next) {
  attempts.value = next;
  const stored = next.map(({ blob, ...attempt }) => attempt);
  remember(STORAGE_NAME, stored.length ? stored : null, "session");
}
