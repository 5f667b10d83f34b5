// The list of conversations: pages that grow, and news found by asking for one conversation only.

import { useCallback, useEffect, useRef, useState } from "../../lib.js";
import { api } from "../../api.js";
import { stir, usePulse } from "./pace.js";

const PAGE = 30;
const PROBE_MS = 3_000;
const WHOLE_MS = 60_000;
const NOTHING = { items: [], next: null, loading: true, error: null, more: false };

/** {items, next, loading, error, more, reload, loadMore, patch} for these filters. */
export function useConversations(filters) {
  const asked = JSON.stringify(filters);
  const [shown, setShown] = useState({ asked, ...NOTHING });
  const now = useRef(shown);
  const wholeAt = useRef(0);
  const show = (change) => setShown((now.current = { ...now.current, ...change }));

  const first = useCallback(
    async (signal) => {
      const { data } = await api.get("conversations", { query: { ...filters, limit: PAGE }, signal });
      if (now.current.asked !== asked) return;
      wholeAt.current = Date.now();
      show({ ...joined(now.current, data, Boolean(filters.search)), loading: false, error: null });
    },
    [asked],
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
    const mine = new AbortController();
    now.current = { asked, ...NOTHING };
    setShown(now.current);
    reload(mine.signal);
    return () => mine.abort();
  }, [asked]);

  usePulse(
    async () => {
      if (now.current.loading) return;
      if (now.current.error || Date.now() - wholeAt.current > WHOLE_MS) return void (await first());
      const { data } = await api.get("conversations", { query: { ...filters, limit: 1 } });
      if (same(data.conversations[0], now.current.items[0])) return;
      stir();
      await first();
    },
    PROBE_MS,
    asked,
  );

  const loadMore = useCallback(async () => {
    const { next, more } = now.current;
    if (!next || more === true) return;
    show({ more: true });
    try {
      const { data } = await api.get("conversations", { query: { ...filters, limit: PAGE, cursor: next } });
      if (now.current.asked !== asked) return;
      const known = new Set(now.current.items.map((each) => each.id));
      const added = data.conversations.filter((each) => !known.has(each.id));
      show({ items: [...now.current.items, ...added], next: data.next, more: false });
    } catch (error) {
      if (now.current.asked === asked) show({ more: error });
    }
  }, [asked]);

  /** What this page itself changed, at once; null takes the conversation out. */
  const patch = useCallback((id, change) => {
    const items = now.current.items.map((each) => (each.id === id ? change && { ...each, ...change } : each));
    show({ items: items.filter(Boolean) });
  }, []);

  const current = shown.asked === asked ? shown : { asked, ...NOTHING };
  return { ...current, reload, loadMore, patch };
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** A fresh first page before the later ones: what it doesn't have, and should, is gone. */
export function joined(before, { conversations, next }, searched) {
  const old = new Map(before.items.map((each) => [each.id, each]));
  const fresh = conversations.map((each) => (same(each, old.get(each.id)) ? old.get(each.id) : each));
  if (searched || before.items.length <= PAGE || !fresh.length) return { items: fresh, next };
  const held = new Set(fresh.map((each) => each.id));
  const edge = fresh.at(-1).last_at;
  const later = before.items.filter((each) => !held.has(each.id) && each.last_at <= edge);
  return later.length ? { items: [...fresh, ...later], next: before.next } : { items: fresh, next };
}
