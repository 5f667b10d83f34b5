// What a view shows of an answer: loading, there, or failed; kept while it is asked again.

import { useCallback, useEffect, useRef, useState } from "./lib.js";
import { api } from "./api.js";
import { connection } from "./connection.js";

/**
 * The answer to GET `path` (null asks nothing): {data, error, loading, reload}. `data` stays what it was while it is
 * asked again, also after a failure, so nothing on the screen jumps. `every` asks again after so many ms, while the page
 * is visible, with the last ETag; and at once when the connection, or the page, is back.
 */
export function useGet(path, { query, every } = {}) {
  const asked = path === null ? null : path + JSON.stringify(query ?? {});
  const [shown, show] = useState({ asked, data: undefined, error: null, loading: path !== null });
  const running = useRef(null);
  const etag = useRef(null);

  const load = useCallback(async () => {
    running.current?.abort();
    if (path === null) return;
    const mine = (running.current = new AbortController());
    show((before) => (before.asked === asked ? { ...before, loading: true } : { asked, error: null, loading: true }));
    try {
      const { data, status, etag: tag } = await api.get(path, { query, etag: etag.current, signal: mine.signal });
      etag.current = tag;
      show((before) => ({ asked, data: status === 304 ? before.data : data, error: null, loading: false }));
    } catch (error) {
      if (error.kind !== "aborted") show((before) => ({ ...before, error, loading: false }));
    }
  }, [asked]);

  useEffect(() => {
    etag.current = null;
    load();
    return () => running.current?.abort();
  }, [load]);

  useEffect(() => {
    const again = () => document.visibilityState === "visible" && load();
    const timer = every ? setInterval(again, every) : 0;
    if (every) document.addEventListener("visibilitychange", again);
    addEventListener("online", again);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", again);
      removeEventListener("online", again);
    };
  }, [load, every]);

  const current = shown.asked === asked ? shown : { data: undefined, error: null, loading: path !== null };
  return { ...current, reload: load, offline: connection.value !== "online" };
}
