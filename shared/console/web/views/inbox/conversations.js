// Hold the list of conversations: pages are added on demand, and news changes what is shown.

import { useCallback, useEffect, useRef, useState } from "../../lib.js";
import { api } from "../../api.js";
import { askUnread, onNews } from "../../news.js";
import { usePulse } from "../../pace.js";

const PAGE = 30;
const LOOK_MS = 5_000;
const WHOLE_MS = 60_000;
const NOTHING = { items: [], next: null, loading: true, error: null, more: false };

/** List the conversations of these filters: {items, next, loading, error, more, reload, loadMore, patch}. */
export function useConversations(filters) {
  const key = JSON.stringify(filters);
  const [list, setList] = useState({ key, ...NOTHING });
  const now = useRef(list);
  const wholeAt = useRef(0);
  const show = (change) => setList((now.current = { ...now.current, ...change }));

  const first = useCallback(
    async (signal) => {
      const { data } = await api.get("conversations", { query: { ...filters, limit: PAGE }, signal });
      if (now.current.key !== key) return;
      wholeAt.current = Date.now();
      show({ ...joinPages(now.current, data, Boolean(filters.search)), loading: false, error: null });
    },
    [key],
  );

  const reload = useCallback(
    async (signal) => {
      show({ loading: true });
      try {
        await first(signal);
      } catch (error) {
        if (error.kind !== "aborted") show({ loading: false, error });
      }
    },
    [first],
  );

  useEffect(() => {
    const controller = new AbortController();
    now.current = { key, ...NOTHING };
    setList(now.current);
    reload(controller.signal);
    return () => controller.abort();
  }, [key]);

  useEffect(() => {
    const take = ({ conversations, more }) => {
      if (now.current.loading) return;
      const isWhole = !now.current.error && !more && !filters.search; // only the functions know what a search finds
      if (!isWhole) reload();
      else show({ items: mergeNews(now.current.items, conversations, filters) });
    };
    return onNews(take, { soon: true });
  }, [key]);

  usePulse(
    async () => {
      if (now.current.loading || !(now.current.error || Date.now() - wholeAt.current > WHOLE_MS)) return;
      await first();
    },
    LOOK_MS,
    key,
  );

  const loadMore = useCallback(async () => {
    const { next, more } = now.current;
    if (!next || more === true) return;
    show({ more: true });
    try {
      const { data } = await api.get("conversations", { query: { ...filters, limit: PAGE, cursor: next } });
      if (now.current.key !== key) return;
      const ids = new Set(now.current.items.map((item) => item.id));
      const added = data.conversations.filter((item) => !ids.has(item.id));
      show({ items: [...now.current.items, ...added], next: data.next, more: false });
    } catch (error) {
      if (now.current.key === key) show({ more: error });
    }
  }, [key]);

  /** Show a change that the page itself made, at once. What the filters don't let through any more goes with the next page. */
  const patch = useCallback((id, change) => {
    if ("unread" in change) askUnread();
    show({ items: now.current.items.map((item) => (item.id === id ? { ...item, ...change } : item)) });
  }, []);

  const current = list.key === key ? list : { key, ...NOTHING };
  return { ...current, reload, loadMore, patch };
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Put a fresh first page before the later ones; what is missing from it is removed. */
export function joinPages(before, { conversations, next }, searched) {
  const old = new Map(before.items.map((item) => [item.id, item]));
  const fresh = conversations.map((item) => (same(item, old.get(item.id)) ? old.get(item.id) : item));
  if (searched || before.items.length <= PAGE || !fresh.length) return { items: fresh, next };
  const ids = new Set(fresh.map((item) => item.id));
  const edge = fresh.at(-1).last_at;
  const later = before.items.filter((item) => !ids.has(item.id) && item.last_at <= edge);
  return later.length ? { items: [...fresh, ...later], next: before.next } : { items: fresh, next };
}

/** Put news into a list, newest first: a conversation replaces its earlier self, or leaves if the filters don't let it through. */
export function mergeNews(items, conversations, filters) {
  const news = new Map(conversations.map((conversation) => [conversation.id, conversation]));
  const rest = items.filter((item) => !news.has(item.id));
  return [...conversations.filter((conversation) => fits(conversation, filters)), ...rest].sort((one, other) => other.last_at - one.last_at);
}

/** Tell whether a conversation is one of those that the filters let through. */
export const fits = (conversation, { line, unread, archived, from_ad, label, assignee }) =>
  (!line || conversation.line === line) &&
  (!unread || conversation.unread > 0) &&
  Boolean(conversation.archived) === Boolean(archived) &&
  (!from_ad || Boolean(conversation.first_ad)) &&
  (!label || (conversation.labels ?? []).includes(label)) &&
  (!assignee || conversation.assignee === assignee);
