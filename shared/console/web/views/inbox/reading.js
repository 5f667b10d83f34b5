// Mark a conversation read while a person sees its end.

import { useCallback, useEffect, useState } from "../../lib.js";
import { api } from "../../api.js";

/** What is under way to mark a conversation read, by its id. */
const marking = new Map();

/** Wait until nothing marks the conversation read any more: what is asked next would be overtaken. */
export const settleReading = (id) => marking.get(id);

/** Mark the conversation read while its end is seen; returns a function to call when that changes. */
export function useRead({ id, conversation, messages, patch, onReading }) {
  const [sight, setSight] = useState({ end: false, visible: document.visibilityState === "visible" });
  useEffect(() => {
    const look = () => setSight((before) => ({ ...before, visible: document.visibilityState === "visible" }));
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  const reads = sight.end && sight.visible && !messages.shown.value.loading;
  const unread = conversation?.unread ?? 0;
  useEffect(() => onReading(reads ? id : null), [reads, id]);
  useEffect(() => {
    if (!reads || !unread || marking.has(id)) return;
    const marked = api
      .patch(`conversations/${encodeURIComponent(id)}`, { read: true })
      .then(() => patch({ unread: 0 }), () => undefined) // the next news marks it read again
      .finally(() => marking.delete(id));
    marking.set(id, marked);
  }, [reads, unread, messages.shown.value.news]);
  return useCallback((end) => setSight((before) => (before.end === end ? before : { ...before, end })), []);
}
