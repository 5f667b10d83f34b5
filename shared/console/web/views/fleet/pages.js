// A list that the functions give page by page.

import { useCallback, useEffect, useRef, useState } from "../../lib.js";
import { api } from "../../api.js";

/** {items, error, busy, reload, more}: the first page, and `more` for the next while there is one. `name`: where they are. */
export function usePages(path, name, query) {
  const [shown, show] = useState({ items: undefined, next: null, error: null, busy: true });
  const asking = useRef(null);
  const asked = JSON.stringify(query);
  const ask = useCallback(
    async (cursor) => {
      asking.current?.abort();
      const mine = (asking.current = new AbortController());
      show((before) => ({ ...before, busy: true, error: null }));
      try {
        const { data } = await api.get(path, { query: { ...query, cursor }, signal: mine.signal });
        show((before) => ({ items: cursor ? [...before.items, ...data[name]] : data[name], next: data.next ?? null, error: null, busy: false }));
      } catch (error) {
        if (error.kind !== "aborted") show((before) => ({ ...before, error, busy: false }));
      }
    },
    [path, asked],
  );
  useEffect(() => {
    ask();
    const back = () => ask();
    addEventListener("online", back);
    return () => {
      asking.current?.abort();
      removeEventListener("online", back);
    };
  }, [ask]);
  return { ...shown, reload: useCallback(() => ask(), [ask]), more: shown.next ? () => ask(shown.next) : null };
}
