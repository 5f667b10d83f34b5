// Show a table of thousands of lines, rendering only those in sight. On a phone a row is a card.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../lib.js";
import { formatNumber, lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { rowsInSight } from "../../sight.js";
import { Age, Button, Chip, Icon, StateChip } from "../../ui/index.js";
import { COLUMNS, isOff } from "./lines.js";
import { word } from "./words.js";

/** Heights in px: of a row, of a card, of the heading that stays above the rows. */
const [ROW, CARD, HEADING] = [52, 148, 44];
const NEAR = 30; // rows before the end, at which more are loaded
const NARROW = "(max-width: 46rem)";
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };

export const columnName = (column) => t(`fleet.instances.${column === "tenant" ? "tenant_column" : column}`);

/** Show the lines; `onEnd` is called near the last one, to load more. */
export function Rows({ lines, filters, onSort, onTenant, onLink, onEnd }) {
  const place = useRef(null);
  const narrow = useNarrow();
  const size = narrow ? CARD : ROW;
  const { from, to, reveal } = useSight(place, lines.length, size, narrow ? 0 : HEADING);
  useEffect(() => {
    if (to > lines.length - NEAR) onEnd();
  }, [to, lines.length]);
  const heading = narrow ? null : html`<${Heading} filters=${filters} onSort=${onSort} />`;
  return html`<div class=${`card fleet-lines${narrow ? " cards" : ""}`} role="table" aria-label=${t("fleet.instances.table")} aria-rowcount=${lines.length + (narrow ? 0 : 1)}
      onKeyDown=${(event) => moveFocus(event, reveal, lines.length)}>
    ${heading}
    <div class="fleet-rows" role="rowgroup" ref=${place} style=${{ height: `${lines.length * size}px` }}>
      ${lines.slice(from, to).map(
        (line, at) => html`<${Row} key=${line.instance} line=${line} index=${from + at} narrow=${narrow} onTenant=${onTenant} onLink=${onLink} top=${(from + at) * size} />`,
      )}
    </div>
  </div>`;
}

const Heading = ({ filters, onSort }) => html`<div role="rowgroup" class="fleet-heading"><div role="row" aria-rowindex="1" class="fleet-row">
  ${COLUMNS.map((column) => {
    const here = filters.sort === column;
    return html`<div role="columnheader" class=${column} aria-sort=${here ? (filters.down ? "descending" : "ascending") : "none"}>
      <button type="button" onClick=${() => onSort(column)}>${columnName(column)}<${Icon} name=${here ? (filters.down ? "arrow-down" : "arrow-up") : "arrow-up-down"} /></button></div>`;
  })}<div role="columnheader" class="action"><span class="unseen">${t("fleet.instances.action")}</span></div>
</div></div>`;

function Row({ line, index, narrow, top, onTenant, onLink }) {
  const cell = (name, children) => html`<div role="cell" class=${name}>${children}</div>`;
  const reason = line.reason && line.state !== "open" ? word("fleet.reasons", line.reason) : "";
  return html`<div role="row" class="fleet-row" aria-rowindex=${index + (narrow ? 1 : 2)} data-index=${index} style=${{ transform: `translateY(${top}px)` }}>
    ${cell("label", html`<strong class="cut" dir="auto" title=${lineName(line)}>${lineName(line)}</strong>`)}
    ${cell("tenant", html`<button type="button" class="fleet-tenant cut" title=${t("fleet.instances.only_tenant", { tenant: line.tenant })} onClick=${() => onTenant(line.tenant)}>${line.tenant}</button>`)}
    ${cell("number", numberOf(line))}
    ${cell("state", html`<${StateChip} state=${line.state}>${word("fleet.states", line.state)}<//>${line.restricted_since && html`<${Chip} tone="warn" icon="triangle-alert" title=${t("fleet.instances.restricted")}>${t("fleet.instances.restricted")}<//>`}
      ${reason && html`<span class="small muted cut" title=${reason}>${reason}</span>`}`)}
    ${cell("server", html`<span class="cut" title=${line.server}>${line.server}</span>`)}
    ${cell("since", html`<span class="small nowrap"><${Age} at=${line.since} /></span>`)}
    ${cell("action", isOff(line) && html`<${Button} small icon="link" label=${t("fleet.instances.link_of", { label: lineName(line), tenant: line.tenant })} title=${t("fleet.instances.link")}
      onClick=${() => onLink(line)}>${narrow ? t("fleet.instances.link") : null}<//>`)}
  </div>`;
}

/** Show the number that a line has, or had. */
function numberOf({ number, last_number: last }) {
  if (number) return html`<span class="tabular nowrap">${formatNumber(number)}</span>`;
  if (last) return html`<span class="muted tabular nowrap" title=${t("fleet.instances.last_number")}>${formatNumber(last)}</span>`;
  return html`<span class="muted small">${t("fleet.instances.no_number")}</span>`;
}

/** Move the focus from row to row with the arrow keys, staying on the same control. */
function moveFocus(event, reveal, count) {
  const row = event.target.closest("[data-index]");
  const by = STEPS[event.key];
  if (!row || (!by && !["Home", "End"].includes(event.key))) return;
  event.preventDefault();
  const at = Number(row.dataset.index);
  const next = event.key === "Home" ? 0 : event.key === "End" ? count - 1 : Math.min(Math.max(at + by, 0), count - 1);
  const which = event.target.closest(".action") ? ".action button, .fleet-tenant" : ".fleet-tenant";
  const table = event.currentTarget;
  reveal(next);
  const focus = (tries) => {
    const target = [...table.querySelectorAll(`[data-index="${next}"] :is(${which})`)].at(-1);
    if (target) target.focus({ preventScroll: true });
    else if (tries) requestAnimationFrame(() => focus(tries - 1));
  };
  requestAnimationFrame(() => focus(10));
}

function useNarrow() {
  const query = useMemo(() => matchMedia(NARROW), []);
  const [narrow, set] = useState(query.matches);
  useEffect(() => {
    const changed = () => set(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return narrow;
}

/** Follow which rows are in sight: {from, to, reveal(index)}. The shell's `main` scrolls, and the list begins somewhere in it. */
function useSight(place, count, size, heading) {
  const [sight, setSight] = useState(() => rowsInSight(0, innerHeight, size, count));
  const scroller = () => place.current.closest("main");
  const above = () => scroller().getBoundingClientRect().top - place.current.getBoundingClientRect().top;
  useLayoutEffect(() => {
    const main = scroller();
    const look = () => {
      const next = rowsInSight(Math.max(0, above()), main.clientHeight, size, count);
      setSight((before) => (before.from === next.from && before.to === next.to ? before : next));
    };
    const watch = new ResizeObserver(look);
    watch.observe(main);
    main.addEventListener("scroll", look, { passive: true });
    look();
    return () => {
      watch.disconnect();
      main.removeEventListener("scroll", look);
    };
  }, [count, size]);
  const reveal = (index) => {
    const main = scroller();
    const top = index * size - above();
    if (top < heading) main.scrollTop += top - heading;
    else if (top + size > main.clientHeight) main.scrollTop += top + size - main.clientHeight;
  };
  return { ...sight, reveal };
}
