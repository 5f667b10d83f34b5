// Ask for what is new, once for the whole page: the newest conversations, the open thread, and how much is unread.

import { computed, signal, useEffect } from "./lib.js";
import { api } from "./api.js";
import { markActive, usePulse } from "./pace.js";

const FAST_MS = 1_500;
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
/** The last answers' ETags, by what was asked for beside the list. */
let etags = {};
let countedAt = 0;

/**
 * Call `read({conversations, more, since})` whenever something changed after the page was opened; `since` is the moment (epoch
 * ms) of the newest conversation before. With `soon` it is asked every second or so. Returns a function that ends it.
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
    countedAt = 0;
    newsError.value = null;
    unread.value = { total: 0, lines: {} };
    Promise.resolve(ask()).catch(() => {});
  }, [who]);
}

/** Ask once, and again for the count of unread where something changed. */
async function askNews() {
  try {
    const isNew = await ask();
    newsError.value = null;
    if (isNew && !countedAt) await ask();
  } catch (error) {
    if (error.problem === "conversation-unknown") thread = null;
    if (error.kind !== "aborted") newsError.value = error;
    throw error;
  }
}

async function ask() {
  const reader = thread;
  const isCounting = Date.now() - countedAt > COUNT_MS;
  const query = { since: newest?.[0]?.last_at, thread: reader?.id, thread_since: reader?.since(), unread: isCounting ? "true" : undefined };
  const asked = `${isCounting} ${reader?.id}`;
  const { status, data, etag } = await api.get("conversations/news", { query, etag: etags[asked] }).catch((error) => {
    if (reader && error.problem === "conversation-unknown") reader.fail(error);
    throw error;
  });
  etags = asked in etags ? { ...etags, [asked]: etag } : { [asked]: etag };
  if (isCounting) countedAt = Date.now();
  if (status === 304) return false;
  if (data.unread) unread.value = data.unread;
  if (data.thread && thread === reader) reader.take(data.thread);
  return spread(data);
}

/** Pass on what changed, and tell whether anything did. */
function spread({ conversations, more }) {
  const isChanged = JSON.stringify(conversations) !== JSON.stringify(newest);
  if (!isChanged) return false;
  const before = newest;
  newest = conversations;
  if (!before) return false;
  countedAt = 0;
  if (document.visibilityState === "visible") markActive();
  for (const { read } of readers.value) read({ conversations, more: Boolean(more), since: before[0]?.last_at ?? 0 });
  return true;
}
