// Every line of the fleet: what one looks for is in the address.

import { html, useEffect, useMemo, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { useSearchParams } from "../../router.js";
import { Age, Button, EmptyState, ErrorState, Notice, Search, Select, SkeletonRows, Toolbar } from "../../ui/index.js";
import { chosen, COLUMNS, load, loaded } from "./lines.js";
import { Linking } from "./Linking.js";
import { columnName, Rows } from "./Rows.js";
import { word } from "./words.js";

const STATES = ["open", "closed", "pairing", "creating", "conflict", "missing", "releasing"];
const DOWN = "-";

/** What the address asks for, and a way to ask for something else. */
function useWanted() {
  const [params, setParams] = useSearchParams();
  const asked = params.get("sort") ?? "label";
  const sort = asked.replace(DOWN, "");
  const wanted = {
    text: params.get("text") ?? "",
    state: params.get("state") ?? "",
    server: params.get("server") ?? "",
    tenant: params.get("tenant") ?? "",
    sort: COLUMNS.includes(sort) ? sort : "label",
    down: asked.startsWith(DOWN),
  };
  const want = (change) =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries(change)) value ? after.set(name, value) : after.delete(name);
        return after;
      },
      { replace: true },
    );
  return [wanted, want];
}

export function Instances({ fleet }) {
  const { lines, at, done, busy, error } = loaded.value;
  const [wanted, want] = useWanted();
  const [linked, link] = useState(null);
  useEffect(() => {
    if (!busy) load();
  }, []);
  const shown = useMemo(() => chosen(lines, wanted), [lines, ...Object.values(wanted)]);
  const servers = useMemo(
    () => [...new Set([...(fleet.data?.servers ?? []).map((each) => each.server), ...lines.map((line) => line.server), wanted.server].filter(Boolean))].sort(),
    [fleet.data, lines, wanted.server],
  );
  const clear = () => want({ text: "", state: "", server: "", tenant: "" });
  const sort = (column) => want({ sort: wanted.sort === column && !wanted.down ? DOWN + column : column });

  return html`<div class="fleet-instances"><${Toolbar} label=${t("fleet.instances.toolbar")} count=${counted(shown.length, lines.length, done || !busy)}>
      <${Search} label=${t("fleet.instances.search")} value=${wanted.text} onInput=${(text) => want({ text })} />
      <${Select} label=${t("fleet.instances.state")} value=${wanted.state} onChange=${(state) => want({ state })}
        options=${[["", t("fleet.instances.every_state")], ["off", t("fleet.instances.off")], ...STATES.map((state) => [state, word("fleet.states", state)])]} />
      ${servers.length > 1 || wanted.server ? html`<${Select} label=${t("fleet.instances.server")} value=${wanted.server} onChange=${(server) => want({ server })}
        options=${[["", t("fleet.instances.every_server")], ...servers.map((server) => [server, server])]} />` : null}
      <${SortChoice} wanted=${wanted} want=${want} />
      ${wanted.tenant && html`<${Button} icon="x" class="fleet-filter" title=${t("fleet.instances.every_tenant")} onClick=${() => want({ tenant: "" })}>
        <span class="cut">${t("fleet.instances.tenant", { tenant: wanted.tenant })}</span><//>`}
      ${at && html`<span class="muted small fleet-at"><${Age} at=${at.toISOString()} /></span>`}
      <${Button} icon="refresh-cw" label=${t("fleet.instances.refresh")} busy=${busy} onClick=${load} />
    <//>
    ${error && lines.length > 0 && html`<${Notice} tone="warn">${!done && `${t("fleet.instances.failed_rest")} `}${sentence(error)} <${Button} small onClick=${load}>${t("shell.tryAgain")}<//><//>`}
    ${content()}
    ${linked && html`<${Linking} line=${linked} onClose=${() => link(null)} />`}</div>`;

  function content() {
    if (shown.length) return html`<${Rows} lines=${shown} wanted=${wanted} onSort=${sort} onTenant=${(tenant) => want({ tenant })} onLink=${link} />`;
    if (error && !lines.length) return html`<${ErrorState} error=${error} onRetry=${load} />`;
    if (!done && !error) return html`<${SkeletonRows} rows=${10} height="2.25rem" />`;
    if (!lines.length) return html`<${EmptyState} icon="smartphone" title=${t("fleet.instances.none")} text=${t("fleet.instances.none_text")} />`;
    return html`<${EmptyState} icon="search-x" title=${t("fleet.instances.no_match")} text=${t("fleet.instances.no_match_text")}>
      <${Button} onClick=${clear}>${t("fleet.instances.clear")}<//><//>`;
  }
}

/** Cards have no headings to sort by. */
const SortChoice = ({ wanted, want }) => html`<div class="fleet-sort"><${Select} label=${t("fleet.instances.sort")} value=${(wanted.down ? DOWN : "") + wanted.sort} onChange=${(sort) => want({ sort })}
  options=${COLUMNS.flatMap((column) => ["", DOWN].map((down) => [down + column, `${columnName(column)} (${t(`fleet.instances.${down ? "descending" : "ascending"}`)})`]))} /></div>`;

function counted(shown, all, done) {
  if (!done) return t("fleet.instances.coming", { n: all });
  return shown === all ? t("fleet.instances.shown", { n: all }) : t("fleet.instances.filtered", { shown, n: all });
}
