// What this browser is sending: each with one key for all its attempts, until somebody knows what became of it.

import { signal } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { has, t } from "../../i18n/index.js";
import { remember, remembered } from "../../memory.js";

const KEPT = "outbox";
const PAUSES_MS = [2_000, 5_000, 5_000, 10_000, 20_000];

/**
 * Every attempt: {key, conversation, at, kind, text, body, quoted, state, error, until}. state is "sending",
 * "confirming" (nobody knows), "waiting" (too fast: again at `until`) or "failed" (surely not sent).
 */
export const attempts = signal((remembered(KEPT, "session") ?? []).map((each) => ({ ...each, state: "confirming", retrievable: true })));
const heard = new Set();
const asking = new Set();

/** `tell({message, problem})` hears what came of any of them. */
export function onOutcome(tell) {
  heard.add(tell);
  return () => heard.delete(tell);
}

/** The body is being sent; its key is drawn here, and stays. */
export function dispatch(conversation, body, shown) {
  const attempt = { key: crypto.randomUUID(), conversation, body, at: Date.now(), ...shown };
  put([...attempts.value, { ...attempt, state: "sending" }]);
  post(attempt.key);
}

/** The same again, with the same key: a message that did go out isn't said twice. */
export function retry(key) {
  change(key, { state: "sending", error: null });
  post(key);
}

/** Whatever it was, nobody wants to see it any more. */
export function settle(key) {
  if (attempts.value.some((each) => each.key === key)) put(attempts.value.filter((each) => each.key !== key));
}

/** A send of which the functions say that nobody knows its outcome. */
export function adopt({ key, conversation, text, asked_at: asked }) {
  if (!find(key)) put([...attempts.value, { key, conversation, text, kind: "text", at: Date.parse(asked), state: "confirming" }]);
  else if (find(key).state === "failed") change(key, { state: "confirming" });
  ask(key);
}

/** What a reload interrupted is asked for again. */
export function resume() {
  for (const each of attempts.value) if (each.state === "confirming") ask(each.key);
}

async function post(key) {
  const { conversation, body } = find(key);
  try {
    const path = `conversations/${encodeURIComponent(conversation)}/messages`;
    outcome(key, await api.post(path, body, { key, timeout: 100_000 }));
  } catch (error) {
    refused(key, error);
  }
}

function refused(key, error) {
  if (!find(key)) return;
  if (error.kind === "network" || error.kind === "timeout" || (error.status >= 500 && !error.problem)) {
    change(key, { state: "confirming" });
    ask(key);
  } else if (error.status === 429 && error.problem === "sending-too-fast") {
    const wait = Math.max(1, error.retryAfter ?? 5) * 1000;
    change(key, { state: "waiting", until: Date.now() + wait });
    setTimeout(() => find(key)?.state === "waiting" && retry(key), wait);
  } else {
    change(key, { state: "failed", error: sentence(error) });
    tell({ problem: error.problem });
  }
}

function outcome(key, { status, data, retryAfter }) {
  if (status === 202) {
    change(key, { state: "confirming" });
    return ask(key, retryAfter);
  }
  if (data.state === "failed") return change(key, { state: "failed", error: whyNot(data.why) });
  tell({ conversation: data.conversation, message: data.message });
  settle(key);
}

async function ask(key, after) {
  if (asking.has(key)) return;
  asking.add(key);
  for (let round = 0; find(key)?.state === "confirming"; round++) {
    await pause(round === 0 && after ? after * 1000 : PAUSES_MS[Math.min(round, PAUSES_MS.length - 1)]);
    if (find(key)?.state !== "confirming") break;
    try {
      const answer = await api.get(`send-message/${encodeURIComponent(key)}`);
      if (answer.status !== 202) outcome(key, answer);
    } catch (error) {
      if (error.problem === "send-unknown") change(key, { state: "failed", error: t("inbox.send.neverArrived") });
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
const find = (key) => attempts.value.find((each) => each.key === key);
const tell = (what) => heard.forEach((each) => each(what));
const change = (key, news) => put(attempts.value.map((each) => (each.key === key ? { ...each, ...news } : each)));

function put(next) {
  attempts.value = next;
  const kept = next.map(({ preview, ...each }) => (each.file ? { ...each, body: undefined } : each));
  remember(KEPT, kept.length ? kept : null, "session");
}
