// Hold the answer that a view shows: loading, loaded or failed; the last one stays while it is fetched again.

import { useCallback, useEffect, useRef, useState } from "./lib.js";
import { api } from "./api.js";

/**
 * Fetch `path` (null fetches nothing) and return {data, error, loading, reload}. `data` stays while it is fetched again,
 * also after a failure, so that nothing on the screen jumps. `every` fetches again after so many ms while the page is
 * visible, with the last ETag, and at once when the connection or the page is back.
 */
export function useGet(path, { query, every } = {}) {
  const key = path === null ? null : path + JSON.stringify(query ?? {});
  const [answer, setAnswer] = useState({ key, data: undefined, error: null, loading: path !== null });
  const running = useRef(null);
  const etag = useRef(null);

  const load = useCallback(async () => {
    running.current?.abort();
    if (path === null) return;
    const controller = (running.current = new AbortController());
    setAnswer((before) => (before.key === key ? { ...before, loading: true } : { key, error: null, loading: true }));
    try {
      const { data, status, etag: tag } = await api.get(path, { query, etag: etag.current, signal: controller.signal });
      etag.current = tag;
      setAnswer((before) => ({ key, data: status === 304 ? before.data : data, error: null, loading: false }));
    } catch (error) {
      if (error.kind !== "aborted") setAnswer((before) => ({ ...before, error, loading: false }));
    }
  }, [key]);

  useEffect(() => {
    etag.current = null;
    load();
    return () => running.current?.abort();
  }, [load]);

  useEffect(() => {
    const loadIfVisible = () => document.visibilityState === "visible" && load();
    const timer = every ? setInterval(loadIfVisible, every) : 0;
    if (every) document.addEventListener("visibilitychange", loadIfVisible);
    addEventListener("online", loadIfVisible);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", loadIfVisible);
      removeEventListener("online", loadIfVisible);
    };
  }, [load, every]);

  const current = answer.key === key ? answer : { data: undefined, error: null, loading: path !== null };
  return { ...current, reload: load };
}
