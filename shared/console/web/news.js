// Ask for what is new, once for the whole page: the newest conversations, the open thread, and how much is unread.

import { computed, signal, useEffect } from "./lib.js";
import { api } from "./api.js";
import { isCalm, markActive, usePulse } from "./pace.js";

/** Milliseconds between an answer and the next question: of one that waits for news, and of one that doesn't. */
const FAST_MS = 2_000;
const CALM_MS = 3_000;
const SLOW_MS = 15_000;
const COUNT_MS = 30_000;

/** The conversations with something unread, of all lines: {total, lines: {line: n}}. */
export const unread = signal({ total: 0, lines: {} });
/** Why the last question failed, or null. */
export const newsError = signal(null);
/** Whether the token names no tenant, so that there is nothing to ask for. */
export const isTenantless = computed(() => newsError.value?.problem === "tenant-unusable");

const readers = signal([]);
let thread = null;
/** The newest conversations as last told, or null before the first answer. */
let newest = null;
/** The ETag of the last answer. */
let etag = null;
let countedAt = 0;

/**
 * Call `read({conversations, more, since})` with the conversations that changed, after the page was opened; `since` is the moment
 * (epoch ms) of the newest conversation before. With `soon` they come within seconds. Returns a function that ends it.
 */
export function onNews(read, { soon = false } = {}) {
  const reader = { read, soon };
  readers.value = [...readers.value, reader];
  return () => (readers.value = readers.value.filter((other) => other !== reader));
}

/**
 * Ask for the news of a thread in the same requests: {id, since(), take(page), fail(error)}. `since()` is the moment of its
 * last page, `take` gets what is new. Returns a function that ends it.
 */
export function joinNews(reader) {
  thread = reader;
  return () => thread === reader && (thread = null);
}

/** Ask how much is unread with the next request: something was read here. */
export const askUnread = () => (countedAt = 0);

/**
 * Ask for news as long as the page is there: soon while somebody reads conversations, else rarely, also in a hidden tab. `who`
 * is signed in; null asks nothing.
 */
export function useNews(who) {
  const ask = () => (who === null || isTenantless.value ? undefined : askNews());
  const isSoon = readers.value.some(({ soon }) => soon);
  usePulse(ask, isSoon ? FAST_MS : SLOW_MS, who, { calm: isSoon ? CALM_MS : undefined, hidden: true });
  useEffect(() => {
    newest = null;
    etag = null;
    countedAt = 0;
    newsError.value = null;
    unread.value = { total: 0, lines: {} };
    Promise.resolve(ask()).catch(() => {});
  }, [who]);
}

/** Ask once, and again at once for a thread that was opened meanwhile. */
async function askNews() {
  try {
    const asked = thread;
    await ask();
    if (thread && thread !== asked) await ask();
    newsError.value = null;
  } catch (error) {
    if (error.problem === "conversation-unknown") thread = null;
    if (error.kind !== "aborted") newsError.value = error;
    throw error;
  }
}

async function ask() {
  const reader = thread;
  const countedBefore = countedAt;
  const isCounting = Date.now() - countedAt > COUNT_MS;
  const isWatched = readers.value.some(({ soon }) => soon) && document.visibilityState === "visible";
  const query = {
    since: newest?.[0]?.last_at,
    thread: reader?.id,
    thread_since: reader?.since(),
    unread: isCounting ? "true" : "changed",
    wait: isWatched && !isCalm() ? "true" : undefined,
  };
  const answer = await api.get("conversations/news", { query, etag }).catch((error) => {
    if (reader && error.problem === "conversation-unknown") reader.fail(error);
    throw error;
  });
  etag = answer.etag;
  const { data } = answer;
  if ((isCounting || data?.unread) && countedAt === countedBefore) countedAt = Date.now();
  if (!data) return;
  if (data.unread) unread.value = data.unread;
  if (data.thread && thread === reader) reader.take(data.thread);
  spread(data);
}

/** Pass on the conversations that are other than they were told last. */
function spread({ conversations, more }) {
  const before = newest;
  newest = conversations;
  if (!before) return;
  const told = new Map(before.map((conversation) => [conversation.id, JSON.stringify(conversation)]));
  const changed = conversations.filter((conversation) => told.get(conversation.id) !== JSON.stringify(conversation));
  if (!changed.length) return;
  if (document.visibilityState === "visible") markActive();
  for (const { read } of readers.value) read({ conversations: changed, more: Boolean(more), since: before[0]?.last_at ?? 0 });
}
