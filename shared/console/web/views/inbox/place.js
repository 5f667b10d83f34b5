// Keep the scroll position of a conversation: follow its end, or keep the message in view in its place.

import { useEffect, useLayoutEffect, useRef, useState } from "../../lib.js";

const NEAR_END = 48;
const NEAR_TOP = 1_200;
const FOUND_MS = 1_600;

/**
 * Return the refs `scroller` and `inner`, the handler `scrolled`, {atEnd, news}, and what moves: `toEnd`, `show(element)`,
 * `arrived(n)`. `onTop` is called while the reader is near the top: whatever `loads` changes, the reader stays, and is asked
 * again. `on.atEnd(isAtEnd)` is told.
 */
export function usePlace({ on, onTop, ready, loads }) {
  const scroller = useRef(null);
  const inner = useRef(null);
  const position = useRef({ end: true, endedAt: 0, anchor: null, top: 0, scrolledTo: 0 });
  const top = useRef(onTop);
  top.current = onTop;
  const [atEnd, setAtEnd] = useState(true);
  const [news, setNews] = useState(0);

  const settle = (end) => {
    position.current.end = end;
    setAtEnd(end);
    on.atEnd(end && ready);
    if (end) setNews(0);
  };
  const hold = () => {
    const box = scroller.current.getBoundingClientRect();
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + 12);
    // Above the first message there is only the sentence that more is coming: hold the message below it.
    const anchor = at?.closest("[data-id]") ?? at?.closest("[data-chunk]") ?? inner.current.querySelector("[data-id], [data-chunk]");
    Object.assign(position.current, {
      anchor,
      top: anchor ? anchor.getBoundingClientRect().top - box.top : 0,
      scrolledTo: scroller.current.scrollTop,
    });
  };
  const restore = () => {
    const box = scroller.current;
    const { end, anchor, top, scrolledTo } = position.current;
    if (end) {
      box.scrollTop = box.scrollHeight;
      position.current.endedAt = box.scrollHeight - box.clientHeight;
    } else if (anchor?.isConnected) {
      // A fling whose event hasn't come yet is the reader's own: only what was added since is made up for.
      const flung = box.scrollTop - scrolledTo;
      const shift = anchor.getBoundingClientRect().top - box.getBoundingClientRect().top - (top - flung);
      if (Math.abs(shift) >= 1) box.scrollTop += shift;
      Object.assign(position.current, { top: top - flung, scrolledTo: box.scrollTop });
    }
  };
  const askAtTop = () => ready && scroller.current.scrollTop < NEAR_TOP && top.current();
  const scrolled = () => {
    const box = scroller.current;
    const bottom = box.scrollHeight - box.clientHeight;
    const end = bottom - box.scrollTop < NEAR_END;
    // The end went away from the reader, not the reader from the end: a picture came.
    if (position.current.end && !end && box.scrollTop > position.current.endedAt - NEAR_END) return restore();
    if (end) position.current.endedAt = bottom;
    if (end !== position.current.end) settle(end);
    hold();
    askAtTop();
  };

  useLayoutEffect(restore);
  useEffect(() => {
    const watch = new ResizeObserver(restore);
    watch.observe(inner.current);
    watch.observe(scroller.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (!ready) return;
    settle(position.current.end);
    scrolled();
  }, [ready]);
  useEffect(() => void askAtTop(), [loads]);

  return {
    scroller,
    inner,
    scrolled,
    atEnd,
    news,
    arrived: (n) => !position.current.end && setNews((before) => before + n),
    toEnd() {
      settle(true);
      restore();
    },
    /** Scroll a message to the middle, or its divider to the top, and highlight it for a moment. */
    show(target, block = "center") {
      if (!target) return;
      position.current.end = false;
      target.scrollIntoView({ block });
      scrolled();
      target.focus({ preventScroll: true });
      target.classList.add("found");
      setTimeout(() => target.classList.remove("found"), FOUND_MS);
    },
  };
}
