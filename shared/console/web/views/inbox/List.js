// Show the conversations, filtered as the address says.

import { BASE } from "../../config.js";
import { html, useEffect, useRef } from "../../lib.js";
import { formatDate, formatDay, formatMoment, formatNumber, formatTime, lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { recall } from "../../memory.js";
import { Link, useSearchParams } from "../../router.js";
import { isOperator } from "../../session.js";
import { Button, EmptyState, ErrorState, Icon, Notice, NumberChip, ofNoTenant, OperatorsEmpty, Search, Select, Skeleton, Toolbar } from "../../ui/index.js";
import { sentence } from "../../api.js";
import { draftName } from "./Composer.js";
import { contactName, kindIcon, kindWord } from "./words.js";

export function List({ list, filters, lines, chosen, reading }) {
  const [params, setParams] = useSearchParams();
  const query = params.toString();
  const set = (name, value) => {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value);
    else next.delete(name);
    setParams(next, { replace: true });
  };
  const clear = () => setParams({}, { replace: true });
  const n = list.items.length;
  const count = list.loading && !n ? "" : list.next ? t("inbox.countMore", { n }) : t("inbox.count", { n });
  return html`<section class="list" aria-label=${t("inbox.list")}>
    <div class="filters">
      <h2 class="title" aria-hidden="true">${t("inbox.title")}</h2>
      <${Toolbar} label=${t("inbox.filters")} count=${count}>
        <${Search} label=${t("inbox.search")} value=${filters.search ?? ""} delay=${300} maxlength="60" onInput=${(value) => set("search", value.trim())} />
        <${Select} label=${t("inbox.line")} value=${filters.line ?? ""} onChange=${(value) => set("line", value)} options=${lineOptions(lines, filters.line)} />
        <${Toggle} on=${filters.unread} onToggle=${(on) => set("unread", on && "true")}>${t("inbox.unreadOnly")}<//>
        <${Toggle} on=${filters.archived} onToggle=${(on) => set("archived", on && "true")}>${t("inbox.archivedOnly")}<//>
        <${Toggle} on=${filters.from_ad} onToggle=${(on) => set("from_ad", on && "true")}>${t("inbox.fromAdOnly")}<//>
      <//>
    </div>
    <${Rows} list=${list} filtered=${Object.keys(filters).length > 0} clear=${clear} lineless=${lines?.length === 0} chosen=${chosen} reading=${reading} query=${query} />
  </section>`;
}

const Toggle = ({ on, onToggle, children }) =>
  html`<button type="button" class="toggle" aria-pressed=${String(Boolean(on))} onClick=${() => onToggle(!on)}>${children}</button>`;

function lineOptions(lines, current) {
  const options = (lines ?? []).map((line) => [line.line, [lineName(line), formatNumber(line.number)].filter(Boolean).join(" · ")]);
  if (current && !options.some(([line]) => line === current)) options.push([current, current]);
  return [["", t("inbox.allLines")], ...options];
}

function Rows({ list, filtered, clear, lineless, chosen, reading, query }) {
  const scroller = useRef(null);
  const end = useRef(null);
  useEffect(() => {
    if (!end.current) return undefined;
    const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && list.more === false && list.loadMore(), {
      root: scroller.current,
      rootMargin: "600px",
    });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [list.next, list.more, list.loadMore]);

  if (isOperator() && !list.items.length && (ofNoTenant(list.error) || (!list.error && !list.loading && !filtered && lineless)))
    return html`<${OperatorsEmpty} icon="messages-square" title=${t("inbox.empty.title")} />`;
  if (list.error && !list.items.length) return html`<${ErrorState} error=${list.error} onRetry=${() => list.reload()} />`;
  if (list.loading && !list.items.length) return html`<${SkeletonList} />`;
  if (!list.items.length && filtered)
    return html`<${EmptyState} icon="search-x" title=${t("inbox.nothing.title")} text=${t("inbox.nothing.text")}>
      <${Button} onClick=${clear}>${t("inbox.nothing.clear")}<//><//>`;
  if (!list.items.length) return html`<${EmptyState} icon="messages-square" title=${t("inbox.empty.title")} text=${t("inbox.empty.text")}>
    <${Button} to=${`~${BASE}/lines`}>${t("inbox.mute.lines")}<//><//>`;
  const tabbed = list.items.some((item) => item.id === chosen) ? chosen : list.items[0].id;
  return html`<div class="rows" ref=${scroller}>
    ${list.error && html`<${Notice} tone="bad">${sentence(list.error)}<//>`}
    <ul role="list" onKeyDown=${moveFocus}>
      ${list.items.map(
        (item) => html`<${Row} key=${item.id} conversation=${item} chosen=${item.id === chosen} isRead=${item.id === reading} tabbed=${item.id === tabbed} query=${query} />`,
      )}
    </ul>
    ${list.next &&
    html`<div class="end" ref=${end}>${list.more?.kind && html`<p class="small" role="alert">${sentence(list.more)}</p>`}
      <${Button} small kind="quiet" busy=${list.more === true} onClick=${list.loadMore}>${t("inbox.more")}<//></div>`}
  </div>`;
}

/** Move the focus from row to row with the arrow keys; Enter opens a row, as it does any link. */
function moveFocus(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const rows = [...event.currentTarget.querySelectorAll(".row")];
  const to = event.key === "Home" ? rows[0] : event.key === "End" ? rows.at(-1) : step && rows[rows.indexOf(document.activeElement) + step];
  if (!to) return;
  event.preventDefault();
  to.focus();
}

function Row({ conversation, chosen, isRead, tabbed, query }) {
  const { id, contact, last, label, number, line } = conversation;
  const unread = isRead ? 0 : conversation.unread;
  const name = contactName(contact);
  return html`<li><${Link} to=${`/${encodeURIComponent(id)}${query && `?${query}`}`} class=${`row${unread ? " unread" : ""}`}
      aria-current=${chosen ? "true" : undefined} tabindex=${tabbed ? 0 : -1}>
    <${Face} contact=${contact} />
    <span class="name cut" dir="auto">${name}</span>
    <time datetime=${new Date(conversation.last_at).toISOString()} title=${formatMoment(conversation.last_at)}>${formatShort(conversation.last_at)}</time>
    <span class="last cut" dir="auto"><${Last} id=${id} last=${last} chosen=${chosen} /></span>
    ${unread > 0 && html`<span class="badge"><span aria-hidden="true">${unread > 99 ? "99+" : unread}</span><span class="unseen">${t("inbox.unread", { n: unread })}</span></span>`}
    <span class="via"><${NumberChip} line=${line} label=${label} number=${number} /></span>
  <//></li>`;
}

export function Face({ contact }) {
  const letter = !contact.group && contact.name && /\p{L}/u.exec(contact.name)?.[0];
  return html`<span class="face" aria-hidden="true">${letter ? letter.toLocaleUpperCase() : html`<${Icon} name=${contact.group ? "users" : "user"} />`}</span>`;
}

function Last({ id, last, chosen }) {
  const draft = !chosen && recall(draftName(id))?.text;
  if (draft) return html`<em class="draft">${t("inbox.composer.draft")}</em><bdi>${draft}</bdi>`;
  if (!last) return "…";
  const icon = kindIcon(last.kind);
  const words = last.text || kindWord(last.kind);
  return html`${last.from_me && t("inbox.me")}${icon && html`<${Icon} name=${icon} label=${last.text ? kindWord(last.kind) : undefined} />`}${last.from_me ? html`<bdi>${words}</bdi>` : words}`;
}

/** Write the time of today, the weekday within a week, else the date. */
function formatShort(at) {
  const days = (new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000;
  return days < 0.5 ? formatTime(at) : days < 6.5 ? formatDay(at) : formatDate(at);
}

const SkeletonList = () => html`<div class="rows" role="status"><span class="unseen">${t("shell.loading")}</span>
  ${Array.from(
    { length: 9 },
    () => html`<div class="row" aria-hidden="true"><span class="face"></span><span class="name"><${Skeleton} width="60%" /></span>
      <span class="last"><${Skeleton} width="85%" /></span><span class="via"><${Skeleton} width="45%" height="1.2em" /></span></div>`,
  )}
</div>`;
