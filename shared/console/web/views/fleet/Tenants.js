// List the clients; one opens in a sheet, where its plan and status are changed.

import { html } from "../../lib.js";
import { formatBytes } from "../../format.js";
import { t } from "../../i18n/index.js";
import { useSearchParams } from "../../router.js";
import { Button, EmptyState, ErrorState, Search, Select, SkeletonRows, Toolbar } from "../../ui/index.js";
import { usePages } from "./pages.js";
import { StatusChip, Tenant } from "./Tenant.js";
import { word } from "./words.js";

const PAGE = 50;
const STATUSES = ["active", "suspended", "cancelled"];

export function Tenants() {
  const [params, setParams] = useSearchParams();
  const [search, status, open] = ["search", "status", "client"].map((name) => params.get(name) ?? "");
  const set = (name, value) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      if (value) after.set(name, value);
      else after.delete(name);
      return after;
    });
  const pages = usePages("fleet/tenants", "tenants", { search: search.trim(), status, limit: PAGE });
  const { items, total, reload, more, busy } = pages;
  const count = !items ? "" : more ? t(total ? "operator.clients.some" : "operator.clients.over", { n: items.length, total }) : t("operator.clients.count", { n: items.length });
  return html`<div class="fleet-clients"><${Toolbar} label=${t("operator.clients.toolbar")} count=${count}>
      <${Search} label=${t("operator.clients.search")} value=${search} onInput=${(text) => set("search", text)} />
      <${Select} label=${t("operator.clients.status")} value=${status} onChange=${(value) => set("status", value)}
        options=${[["", t("operator.clients.every_status")], ...STATUSES.map((name) => [name, word("operator.clients.statuses", name)])]} /><//>
    <${Content} pages=${pages} filtered=${search || status} onOpen=${(tenant) => set("client", tenant)} />
    ${more && html`<p class="fleet-more"><${Button} busy=${busy} onClick=${more}>${t("fleet.runs.more")}<//></p>`}
    ${open && html`<${Tenant} key=${open} tenant=${open} onClose=${() => set("client", "")} onChange=${reload} />`}
  </div>`;
}

function Content({ pages: { items, error, reload }, filtered, onOpen }) {
  if (!items) return error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} rows=${8} />`;
  if (items.length) return html`<ul role="list" class="card fleet-list rows">${items.map((client) => html`<${Client} key=${client.tenant} client=${client} onOpen=${onOpen} />`)}</ul>`;
  return html`<${EmptyState} icon="users" title=${t(filtered ? "operator.clients.no_match" : "operator.clients.none")} text=${t(filtered ? "operator.clients.no_match_text" : "operator.clients.none_text")} />`;
}

const Client = ({ client: { tenant, status, lines, max_lines: most, media }, onOpen }) => html`<li>
  <button type="button" class="fleet-open" onClick=${() => onOpen(tenant)}><strong class="cut">${tenant}</strong></button>
  <${StatusChip} status=${status} /><span class="small muted tabular nowrap">${media?.files ? `${formatBytes(media.bytes)} · ` : ""}${t("operator.clients.lines_of", { n: lines.length, most })}</span></li>`;
