// List the endpoints of all clients: how late each is told, and which failed.

import { html } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { useSearchParams } from "../../router.js";
import { Age, Button, Chip, EmptyState, ErrorState, Search, Select, SkeletonRows, Toolbar } from "../../ui/index.js";
import { usePages } from "./pages.js";
import { span, word } from "./words.js";

const PAGE = 50;
const LATE = "late";
const CHOICES = [LATE, "active", "disabled"];
const TONES = { ok: "good", holding: "warn", failing: "bad", disabled: "" };

export function Endpoints() {
  const [params, setParams] = useSearchParams();
  const [tenant, shown] = ["tenant", "shown"].map((name) => params.get(name) ?? "");
  const set = (name, value) =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        if (value) after.set(name, value);
        else after.delete(name);
        return after;
      },
      { replace: true },
    );
  const which = shown === LATE ? { late: "true" } : { state: shown };
  const pages = usePages("fleet/endpoints", "endpoints", { tenant: tenant.trim(), ...which, limit: PAGE });
  return html`<div class="fleet-endpoints"><${Toolbar} label=${t("operator.endpoints.toolbar")}>
      <${Search} label=${t("operator.endpoints.search")} value=${tenant} onInput=${(text) => set("tenant", text)} />
      <${Select} label=${t("operator.endpoints.shown")} value=${shown} onChange=${(value) => set("shown", value)}
        options=${[["", t("operator.endpoints.all")], ...CHOICES.map((name) => [name, t(`operator.endpoints.choices.${name}`)])]} />
      <${Button} icon="refresh-cw" label=${t("operator.endpoints.refresh")} busy=${pages.busy} onClick=${pages.reload} /><//>
    <${Content} pages=${pages} filtered=${tenant || shown} />
    ${pages.more && html`<p class="fleet-more"><${Button} busy=${pages.busy} onClick=${pages.more}>${t("fleet.runs.more")}<//></p>`}
  </div>`;
}

function Content({ pages: { items, error, reload }, filtered }) {
  if (!items) return error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} />`;
  if (items.length) return html`<ul role="list" class="card fleet-list rows">${items.map((endpoint) => html`<${Row} key=${endpoint.id} endpoint=${endpoint} />`)}</ul>`;
  return html`<${EmptyState} icon="plug" title=${t(filtered ? "operator.endpoints.no_match" : "operator.endpoints.none")} text=${t(filtered ? "operator.endpoints.no_match_text" : "operator.endpoints.none_text")} />`;
}

const Row = ({ endpoint }) => html`<li><div class="fleet-grow">
    <p><strong dir="auto">${endpoint.description || endpoint.host}</strong> <${Chip} tone=${TONES[endpoint.condition]} dot>${word("operator.endpoints.conditions", endpoint.condition)}<//></p>
    <p class="small muted">${endpoint.tenant ?? t("operator.endpoints.operators")} · <span dir="ltr">${endpoint.host}</span> · <${State} endpoint=${endpoint} /></p></div></li>`;

/** Say since when it is disabled and why, how late it is and when it is tried again, or when it was told last. */
function State({ endpoint }) {
  const { reason, disabled_at: disabled, lag_seconds: lag, retry_at: retry, told_at: told } = endpoint;
  if (disabled) return html`${word("operator.endpoints.reasons", reason)} <${Age} at=${disabled} />`;
  if (!lag) return html`${t("operator.endpoints.told")} <${Age} at=${told} />`;
  return html`${t("operator.endpoints.lag", { span: span(0, lag * 1000) })}${retry && html` · ${t("operator.endpoints.next")} <${Age} at=${retry} />`}`;
}
