// Hold the list of conversations: pages are added on demand, and a probe of one conversation finds news.

import { useCallback, useEffect, useRef, useState } from "../../lib.js";
import { api } from "../../api.js";
import { markActive, usePulse } from "../../pace.js";

const PAGE = 30;
const PROBE_MS = 3_000;
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

  usePulse(
    async () => {
      if (now.current.loading) return;
      if (now.current.error || Date.now() - wholeAt.current > WHOLE_MS) return void (await first());
      const { data } = await api.get("conversations", { query: { ...filters, limit: 1 } });
      if (same(data.conversations[0], now.current.items[0])) return;
      markActive();
      await first();
    },
    PROBE_MS,
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

  /** Show a change that the page itself made, at once; null removes the conversation. */
  const patch = useCallback((id, change) => {
    const items = now.current.items.map((item) => (item.id === id ? change && { ...item, ...change } : item));
    show({ items: items.filter(Boolean) });
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
