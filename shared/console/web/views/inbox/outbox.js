// Hold what this browser is sending: every message keeps one key for all its attempts, until its outcome is known. Those of
// a conversation leave one after the other, in the order in which they were written.

import { signal } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { has, t } from "../../i18n/index.js";
import { remember, recall } from "../../memory.js";

const STORAGE_NAME = "outbox";
const PAUSES_MS = [2_000, 5_000, 5_000, 10_000, 20_000];

/**
 * The attempts: {key, conversation, at, kind, text, body, quoted, state, error, until, unanswered}. state is "sending" (or
 * awaiting its turn), "confirming" (the outcome is unknown; unanswered: also whether the request arrived), "waiting" (too
 * fast; sent again at `until`) or "failed" (surely not sent).
 */
export const attempts = signal((recall(STORAGE_NAME, "session") ?? []).map(interrupt));
const listeners = new Set();
const asking = new Set();
/** The conversations for which a request is under way. */
const posting = new Set();

/** Call `listener({message, problem})` with the outcome of every attempt; returns a function that ends it. */
export function onOutcome(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Send a body under a new key, which stays for all its attempts. */
export function dispatch(conversation, body, shown) {
  const attempt = { key: crypto.randomUUID(), conversation, body, at: Date.now(), ...shown };
  setAttempts([...attempts.value, { ...attempt, state: "sending" }]);
  postNext(conversation);
}

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

/** Show a send whose outcome the functions report as unknown, and poll for it. */
export function adoptSend({ key, conversation, text, asked_at: asked }) {
  if (!findAttempt(key)) setAttempts([...attempts.value, { key, conversation, text, kind: "text", at: Date.parse(asked), state: "confirming" }]);
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
  posting.add(conversation);
  await post(next).finally(() => posting.delete(conversation));
  postNext(conversation);
}

function holdsOthers({ state, unanswered }) {
  return state === "sending" || state === "waiting" || (state === "confirming" && unanswered);
}

/** Return an attempt of a page that is gone as one whose outcome has to be asked for. */
function interrupt(attempt) {
  return { ...attempt, state: "confirming", unanswered: holdsOthers(attempt), retrievable: true };
}

async function post({ key, conversation, body }) {
  try {
    const path = `conversations/${encodeURIComponent(conversation)}/messages`;
    handleOutcome(key, await api.post(path, body, { key, timeout: 100_000 }));
  } catch (error) {
    handleFailure(key, error);
  }
}

function handleFailure(key, error) {
  if (!findAttempt(key)) return;
  if (error.kind === "network" || error.kind === "timeout" || (error.status >= 500 && !error.problem)) {
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
  notify({ conversation: data.conversation, message: data.message });
  dropAttempt(key);
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
      if (error.problem === "send-unknown") changeAttempt(key, { state: "failed", error: t("inbox.send.neverArrived") });
      else if (error.kind === "expired") break;
    }
  }
  asking.delete(key);
}

async function pause(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (document.visibilityState === "visible") return;
  await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

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
  const stored = next.map(({ preview, ...attempt }) => (attempt.file ? { ...attempt, body: undefined } : attempt));
  remember(STORAGE_NAME, stored.length ? stored : null, "session");
}
