// Mark a conversation read while a person sees its end.

import { useCallback, useEffect, useRef, useState } from "../../lib.js";
import { api } from "../../api.js";

/** Mark the conversation read while its end is seen; returns a function to call when that changes. */
export function useRead({ id, conversation, messages, patch, onReading }) {
  const [sight, setSight] = useState({ end: false, visible: document.visibilityState === "visible" });
  const busy = useRef(false);
  useEffect(() => {
    const look = () => setSight((before) => ({ ...before, visible: document.visibilityState === "visible" }));
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  const reads = sight.end && sight.visible && !messages.shown.value.loading;
  const unread = conversation?.unread ?? 0;
  useEffect(() => onReading(reads ? id : null), [reads, id]);
  useEffect(() => {
    if (!reads || !unread || busy.current) return;
    busy.current = true;
    api
      .patch(`conversations/${encodeURIComponent(id)}`, { read: true })
      .then(() => patch({ unread: 0 }), () => undefined) // the next news marks it read again
      .finally(() => (busy.current = false));
  }, [reads, unread, messages.shown.value.news]);
  return useCallback((end) => setSight((before) => (before.end === end ? before : { ...before, end })), []);
}
