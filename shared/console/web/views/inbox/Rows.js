// Show the rows of the list: only those in sight are on the page, however many were loaded.

import { BASE } from "../../config.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { connection } from "../../connection.js";
import { t } from "../../i18n/index.js";
import { newsError } from "../../news.js";
import { isOperator } from "../../session.js";
import { rowsInSight } from "../../sight.js";
import { Button, EmptyState, ErrorState, Notice, ofNoTenant, OperatorsEmpty, Skeleton } from "../../ui/index.js";
import { Row } from "./Row.js";

/** Heights of a row, in rem: with what stands below its last message, and without. */
const [TALL, SHORT] = [4.75, 3.875];
const NEAR_END = 12;

export function Rows({ list, filters, clear, lines, ...rest }) {
  const { items, error, loading } = list;
  const filtered = Object.keys(filters).length > 0;
  const lineless = lines?.length === 0;
  if (isOperator() && !items.length && (ofNoTenant(error) || (!error && !loading && !filtered && lineless)))
    return html`<${OperatorsEmpty} icon="messages-square" title=${t("inbox.empty.title")} />`;
  if (error && !items.length) return html`<${ErrorState} error=${error} onRetry=${() => list.reload()} />`;
  if (loading && !items.length) return html`<${SkeletonList} />`;
  if (!items.length && filtered)
    return html`<${EmptyState} icon="search-x" title=${t("inbox.nothing.title")} text=${t("inbox.nothing.text")}>
      <${Button} onClick=${clear}>${t("inbox.nothing.clear")}<//><//>`;
  if (!items.length && lineless)
    return html`<${EmptyState} icon="smartphone" title=${t("inbox.lineless.title")} text=${t("inbox.lineless.text")}>
      <${Button} kind="primary" icon="qr-code" to=${`~${BASE}/lines`}>${t("inbox.lineless.go")}<//><//>`;
  if (!items.length) return html`<${EmptyState} icon="messages-square" title=${t("inbox.empty.title")} text=${t("inbox.empty.text")}>
    <${Button} to=${`~${BASE}/lines`}>${t("inbox.mute.lines")}<//><//>`;
  return html`<${Loaded} list=${list} lines=${lines} ...${rest} />`;
}

function Loaded({ list, lines, chosen, reading, query, selected, onToggle }) {
  const { items, next, more } = list;
  const isTall = lines?.length > 1 || items.some((item) => item.labels?.length || item.assignee);
  const scroller = useRef(null);
  const { size, from, to, scrolled, reveal } = useSight(scroller, items, isTall ? TALL : SHORT);
  const [focused, setFocused] = useState(null);
  const error = list.error ?? newsError.value;
  const tabbed = Math.max(0, items.findIndex((item) => item.id === (focused ?? chosen)));
  useEffect(() => {
    if (next && more === false && to > items.length - NEAR_END) list.loadMore();
  }, [next, more, to, items.length]);

  const move = (event) => {
    if (event.key === " " && event.target.matches(".row")) {
      event.preventDefault();
      return onToggle(event.target.closest("li").dataset.id);
    }
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -items.length, End: items.length }[event.key];
    if (!step || event.altKey) return;
    event.preventDefault();
    const at = Math.min(Math.max(tabbed + step, 0), items.length - 1);
    setFocused(items[at].id);
    reveal(at);
    requestAnimationFrame(() => scroller.current?.querySelector(`[data-at="${at}"] .row`)?.focus({ preventScroll: true }));
  };
  const shown = [...new Set([tabbed, ...Array.from({ length: to - from }, (_, at) => from + at)])].filter((at) => at < items.length).sort((one, other) => one - other);
  return html`<div class=${`rows${selected ? " selecting" : ""}`} ref=${scroller} onScroll=${scrolled}>
    ${error && connection.value === "online" && html`<${Notice} tone="bad">${sentence(error)}<//>`}
    <ul role="list" onKeyDown=${move} onFocusIn=${(event) => setFocused(event.target.closest("li")?.dataset.id ?? null)} style=${{ height: `${items.length * size}px` }}>
      ${shown.map(
        (at) => html`<${Row} key=${items[at].id} conversation=${items[at]} at=${at} count=${next ? -1 : items.length} top=${at * size} size=${size} lines=${lines}
          chosen=${items[at].id === chosen} isRead=${items[at].id === reading} tabbed=${at === tabbed} query=${query}
          selected=${selected && selected.has(items[at].id)} onToggle=${onToggle} />`,
      )}
    </ul>
    ${next &&
    html`<div class="end">${more?.kind && html`<p class="small" role="alert">${sentence(more)}</p>`}
      <${Button} small kind="quiet" busy=${more === true} onClick=${list.loadMore}>${t("inbox.more")}<//></div>`}
  </div>`;
}

/** Follow what is in sight; rows that come or go above leave the others in their place. */
function useSight(scroller, items, rems) {
  const size = rems * parseFloat(getComputedStyle(document.documentElement).fontSize);
  const [view, setView] = useState({ top: 0, height: innerHeight });
  const anchor = useRef(null);
  const { from, to } = rowsInSight(view.top, view.height, size, items.length);
  const scrolled = () => {
    const { scrollTop, clientHeight } = scroller.current;
    const at = Math.floor(scrollTop / size);
    anchor.current = scrollTop > size ? { id: items[at]?.id, at } : null;
    const sight = rowsInSight(scrollTop, clientHeight, size, items.length);
    if (sight.from !== from || sight.to !== to) setView({ top: scrollTop, height: clientHeight });
  };
  useLayoutEffect(() => {
    if (!anchor.current) return;
    const at = items.findIndex((item) => item.id === anchor.current.id);
    if (at >= 0 && at !== anchor.current.at) scroller.current.scrollTop += (at - anchor.current.at) * size;
  }, [items]);
  useLayoutEffect(() => {
    const watch = new ResizeObserver(scrolled);
    watch.observe(scroller.current);
    return () => watch.disconnect();
  });
  const reveal = (at) => {
    const box = scroller.current;
    if (at * size < box.scrollTop) box.scrollTop = at * size;
    else if ((at + 1) * size > box.scrollTop + box.clientHeight) box.scrollTop = (at + 1) * size - box.clientHeight;
  };
  return { size, from, to, scrolled, reveal };
}

const SkeletonList = () => html`<div class="rows" role="status"><span class="unseen">${t("shell.loading")}</span>
  ${Array.from(
    { length: 9 },
    () => html`<div class="row" aria-hidden="true"><span class="face"></span><span class="name"><${Skeleton} width="60%" /></span>
      <span class="last"><${Skeleton} width="85%" /></span></div>`,
  )}
</div>`;
