// Show a conversation's messages, oldest first. Chunks far out of sight keep only their height, and the message in view
// stays in its place, whatever is added above or below.

import { html, useCallback, useEffect, useLayoutEffect, useRef, useState } from "../../lib.js";
import { language, t } from "../../i18n/index.js";
import { Button, ErrorState, Notice, Skeleton } from "../../ui/index.js";
import { sentence } from "../../api.js";
import { Attempt } from "./Attempt.js";
import { Chunk } from "./Chunk.js";
import { authorName, summarize } from "./words.js";

const NEAR_END = 48;
const NEAR_TOP = 800;

export function Log({ messages, conversation, name, on, sending, mute }) {
  const { chunks, loading, error, next, older, news } = messages.shown.value;
  const [jumpTo, setJumpTo] = useState(null);
  const [announcement, announce] = useState("");
  const place = usePlace({ on, onTop: () => older === false && messages.older(), ready: !loading });

  useEffect(() => {
    if (!news) return;
    const theirs = news.filter((message) => !message.from_me);
    if (theirs.length) place.arrived(theirs.length);
    const last = theirs.at(-1);
    if (last) announce(t("inbox.arrived", { name: last.author ? authorName(last.author) : name, text: summarize(last) }));
  }, [news]);
  const newest = sending.at(-1)?.key;
  useEffect(() => {
    if (newest) place.toEnd();
  }, [newest]);
  useEffect(() => {
    if (!jumpTo) return;
    const target = place.scroller.current.querySelector(`[data-id="${CSS.escape(jumpTo.id)}"]`);
    place.show(target);
  }, [jumpTo]);

  const jump = useCallback((id) => setJumpTo({ id }), []);
  const acts = { ...on, jump };
  return html`<div class="log-frame">
    <div class="log" role="log" aria-live="off" aria-label=${t("inbox.messages", { name })} tabindex="0" ref=${place.scroller} onScroll=${place.scrolled}>
      <div class="log-inner" ref=${place.inner}>
        ${loading ? html`<${SkeletonLog} />` : error ? html`<${ErrorState} error=${error} onRetry=${() => messages.open()} />` : html`<${Top} next=${next} older=${older} chunks=${chunks} messages=${messages} />`}
        ${chunks.map(
          (chunk, at) => html`<${Chunk} key=${chunk.id} chunk=${chunk} before=${chunks[at - 1]?.messages.at(-1)} root=${place.scroller} acts=${acts}
            messages=${messages} conversation=${conversation} name=${name} speech=${language.value} jumpTo=${jumpTo} mute=${mute} />`,
        )}
        ${!loading && sending.map((attempt) => html`<${Attempt} key=${attempt.key} attempt=${attempt} />`)}
      </div>
    </div>
    <p class="unseen" role="status" aria-live="polite">${announcement}</p>
    ${!place.atEnd &&
    html`<div class="to-end"><${Button} small icon="arrow-down" label=${place.news ? undefined : t("inbox.toEnd")} class=${place.news ? "primary" : ""} onClick=${() => place.toEnd()}>
      ${place.news ? t("inbox.news", { n: place.news }) : null}<//></div>`}
  </div>`;
}

function Top({ next, older, chunks, messages }) {
  if (!chunks.length) return html`<p class="beginning">${t("inbox.noMessages")}</p>`;
  if (!next) return html`<p class="beginning">${t("inbox.beginning")}</p>`;
  return html`<div class="beginning">
    ${older?.kind && html`<${Notice} tone="bad">${t("inbox.olderFailed")} ${sentence(older)}<//>`}
    <${Button} small kind="quiet" busy=${older === true} onClick=${() => messages.older()}>${t("inbox.older")}<//>
  </div>`;
}

/** Keep the scroll position: follow the end, or keep the message in view in its place. */
function usePlace({ on, onTop, ready }) {
  const scroller = useRef(null);
  const inner = useRef(null);
  const position = useRef({ end: true, anchor: null, top: 0 });
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
    const anchor = at?.closest("[data-id]") ?? at?.closest("[data-chunk]") ?? null;
    Object.assign(position.current, { anchor, top: anchor ? anchor.getBoundingClientRect().top - box.top : 0 });
  };
  const restore = () => {
    const box = scroller.current;
    const { end, anchor, top } = position.current;
    if (end) box.scrollTop = box.scrollHeight;
    else if (anchor?.isConnected) {
      const shift = anchor.getBoundingClientRect().top - box.getBoundingClientRect().top - top;
      if (Math.abs(shift) >= 1) box.scrollTop += shift;
    }
  };
  const scrolled = () => {
    const box = scroller.current;
    const end = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
    if (end !== position.current.end) settle(end);
    hold();
    if (ready && box.scrollTop < NEAR_TOP) top.current();
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
    /** Scroll a message into the middle, and highlight it for a moment. */
    show(target) {
      if (!target) return;
      position.current.end = false;
      target.scrollIntoView({ block: "center" });
      scrolled();
      target.focus({ preventScroll: true });
      target.classList.add("found");
      setTimeout(() => target.classList.remove("found"), 1600);
    },
  };
}

const SkeletonLog = () => html`<div role="status" class="skeleton-log"><span class="unseen">${t("shell.loading")}</span>
  ${["55%", "40%", "62%", "30%", "48%", "58%"].map((width, at) => html`<div class=${`ghost${at % 3 === 1 ? " mine" : ""}`}><${Skeleton} width=${width} height=${at % 2 ? "2.4rem" : "3.6rem"} /></div>`)}
</div>`;
