// Load a list page by page.

import { useCallback, useEffect, useRef, useState } from "../../lib.js";
import { api } from "../../api.js";

/** Load a list: {items, total, error, busy, reload, more}. `more` loads the next page, while there is one; `name` is the items' field. */
export function usePages(path, name, query) {
  const [page, setPage] = useState({ items: undefined, next: null, total: undefined, error: null, busy: true });
  const asking = useRef(null);
  const key = JSON.stringify(query);
  const ask = useCallback(
    async (cursor) => {
      asking.current?.abort();
      const controller = (asking.current = new AbortController());
      setPage((before) => ({ ...before, busy: true, error: null }));
      try {
        const { data } = await api.get(path, { query: { ...query, cursor }, signal: controller.signal });
        setPage((before) => ({ items: cursor ? [...before.items, ...data[name]] : data[name], next: data.next ?? null, total: data.total ?? before.total, error: null, busy: false }));
      } catch (error) {
        if (error.kind !== "aborted") setPage((before) => ({ ...before, error, busy: false }));
      }
    },
    [path, key],
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
  return { ...page, reload: useCallback(() => ask(), [ask]), more: page.next ? () => ask(page.next) : null };
}
