// Show every line of the fleet, with the filters in the address.

import { html, useEffect, useMemo, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { useSearchParams } from "../../router.js";
import { Age, Button, EmptyState, ErrorState, Notice, Search, Select, SkeletonRows, Toolbar } from "../../ui/index.js";
import { COLUMNS, fleetLines, load, loadMore, SERVERS_ORDER, sortLines } from "./lines.js";
import { Linking } from "./Linking.js";
import { columnName, Rows } from "./Rows.js";
import { word } from "./words.js";

const STATES = ["open", "closed", "pairing", "creating", "conflict", "missing", "releasing"];
const DOWN = "-";

/** Read the filters from the address; returns [filters, setFilters]. */
function useFilters() {
  const [params, setParams] = useSearchParams();
  const order = params.get("sort") ?? SERVERS_ORDER;
  const sort = order.replace(DOWN, "");
  const filters = {
    text: params.get("text") ?? "",
    state: params.get("state") ?? "",
    server: params.get("server") ?? "",
    tenant: params.get("tenant") ?? "",
    sort: COLUMNS.includes(sort) ? sort : SERVERS_ORDER,
    down: order.startsWith(DOWN),
  };
  const setFilters = (change) =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries(change)) value ? after.set(name, value) : after.delete(name);
        return after;
      },
      { replace: true },
    );
  return [filters, setFilters];
}

export function Instances({ fleet }) {
  const { lines, total, at, rest, busy, error } = fleetLines.value;
  const [filters, setFilters] = useFilters();
  const [linked, link] = useState(null);
  const isSorted = filters.sort !== SERVERS_ORDER || filters.down;
  const reload = () => load(filters, { all: isSorted });
  useEffect(() => {
    reload();
  }, [filters.text, filters.state, filters.server, filters.tenant, isSorted]);
  const shown = useMemo(() => sortLines(lines, filters), [lines, filters.sort, filters.down]);
  const servers = useMemo(
    () => [...new Set([...(fleet.data?.servers ?? []).map((server) => server.server), ...lines.map((line) => line.server), filters.server].filter(Boolean))].sort(),
    [fleet.data, lines, filters.server],
  );
  const isFiltered = filters.text || filters.state || filters.server || filters.tenant;
  const clear = () => setFilters({ text: "", state: "", server: "", tenant: "" });
  const sort = (column) => setFilters({ sort: filters.sort === column && !filters.down ? DOWN + column : column });

  return html`<div class="fleet-instances"><${Toolbar} label=${t("fleet.instances.toolbar")} count=${busy && !lines.length ? "" : countText(lines.length, total, rest.length === 0)}>
      <${Search} label=${t("fleet.instances.search")} value=${filters.text} onInput=${(text) => setFilters({ text })} />
      <${Select} label=${t("fleet.instances.state")} value=${filters.state} onChange=${(state) => setFilters({ state })}
        options=${[["", t("fleet.instances.every_state")], ["off", t("fleet.instances.off")], ...STATES.map((state) => [state, word("fleet.states", state)])]} />
      ${servers.length > 1 || filters.server ? html`<${Select} label=${t("fleet.instances.server")} value=${filters.server} onChange=${(server) => setFilters({ server })}
        options=${[["", t("fleet.instances.every_server")], ...servers.map((server) => [server, server])]} />` : null}
      <${SortChoice} filters=${filters} setFilters=${setFilters} />
      ${filters.tenant && html`<${Button} icon="x" class="fleet-filter" title=${t("fleet.instances.every_tenant")} onClick=${() => setFilters({ tenant: "" })}>
        <span class="cut">${t("fleet.instances.tenant", { tenant: filters.tenant })}</span><//>`}
      ${at && html`<span class="muted small fleet-at"><${Age} at=${at.toISOString()} /></span>`}
      <${Button} icon="refresh-cw" label=${t("fleet.instances.refresh")} busy=${busy} onClick=${reload} />
    <//>
    ${error && lines.length > 0 && html`<${Notice} tone="warn">${rest.length > 0 && `${t("fleet.instances.failed_rest")} `}${sentence(error)} <${Button} small onClick=${reload}>${t("shell.tryAgain")}<//><//>`}
    ${content()}
    ${linked && html`<${Linking} line=${linked} onClose=${() => link(null)} />`}</div>`;

  function content() {
    if (shown.length) return html`<${Rows} lines=${shown} filters=${filters} onSort=${sort} onTenant=${(tenant) => setFilters({ tenant })} onLink=${link} onEnd=${loadMore} />`;
    if (error) return html`<${ErrorState} error=${error} onRetry=${reload} />`;
    if (busy || !at) return html`<${SkeletonRows} rows=${10} height="2.25rem" />`;
    if (!isFiltered) return html`<${EmptyState} icon="smartphone" title=${t("fleet.instances.none")} text=${t("fleet.instances.none_text")} />`;
    return html`<${EmptyState} icon="search-x" title=${t("fleet.instances.no_match")} text=${t("fleet.instances.no_match_text")}>
      <${Button} onClick=${clear}>${t("fleet.instances.clear")}<//><//>`;
  }
}

/** Offer a sort order on phones, whose cards have no headings. */
const SortChoice = ({ filters, setFilters }) => html`<div class="fleet-sort"><${Select} label=${t("fleet.instances.sort")} value=${(filters.down ? DOWN : "") + filters.sort} onChange=${(sort) => setFilters({ sort })}
  options=${COLUMNS.flatMap((column) => ["", DOWN].map((down) => [down + column, `${columnName(column)} (${t(`fleet.instances.${down ? "descending" : "ascending"}`)})`]))} /></div>`;

/** Say how many lines there are; while not all are loaded, only what is known. */
function countText(loaded, total, isDone) {
  if (isDone) return t("fleet.instances.shown", { n: loaded });
  return total === null ? t("fleet.instances.over", { n: loaded }) : t("fleet.instances.filtered", { shown: loaded, n: total });
}
