// Show who did what: consequential acts of operators and clients, newest first.

import { html } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { useSearchParams } from "../../router.js";
import { session } from "../../session.js";
import { Age, Button, EmptyState, ErrorState, Search, SkeletonRows, Toolbar } from "../../ui/index.js";
import { usePages } from "./pages.js";
import { word } from "./words.js";

export function Audit() {
  const [params, setParams] = useSearchParams();
  const tenant = params.get("tenant") ?? "";
  const { items, error, reload, more, busy } = usePages("fleet/audit", "acts", { tenant: tenant.trim(), limit: 50 });
  return html`<div class="fleet-audit"><${Toolbar} label=${t("operator.audit.toolbar")}>
      <${Search} label=${t("operator.audit.search")} value=${tenant} onInput=${(text) => setParams(text ? { tenant: text } : {}, { replace: true })} /><//>
    ${!items
      ? error
        ? html`<${ErrorState} error=${error} onRetry=${reload} />`
        : html`<${SkeletonRows} />`
      : items.length
        ? html`<ul role="list" class="card fleet-list rows">${items.map((act) => html`<${Act} key=${act.id} act=${act} />`)}</ul>`
        : html`<${EmptyState} icon="clipboard-list" title=${t("operator.audit.none")} text=${t("operator.audit.none_text")} />`}
    ${more && html`<p class="fleet-more"><${Button} busy=${busy} onClick=${more}>${t("fleet.runs.more")}<//></p>`}
  </div>`;
}

const Act = ({ act }) => html`<li><div class="fleet-grow"><p><strong>${describeAct(act)}</strong></p>
  <p class="small muted">${whoDid(act)} · <${Age} at=${act.at} /></p></div></li>`;

/** Put an act into words: what was done, to what, and what was set. */
export function describeAct({ action, tenant = "", line = "", subject = "", facts = {} }) {
  const values = { tenant, line, subject: instanceIn(subject), kind: word("fleet.kinds", subject) };
  const changes = Object.entries(facts).map(([name, value]) => word("operator.audit.facts", name, { value: word("operator.audit.values", String(value)) }));
  return [word("operator.audit.actions", action.replace(".", "_"), values), ...changes].join(" · ");
}

/** Return the instance's name in a candidate's id ("main~instance_x"); another subject stays. */
const instanceIn = (subject) => subject.replace(/^[^~]*~/, "");

/** Name who did it: ids say nothing to people, so an operator is named as their token does, else by their role. */
function whoDid({ by, who, name }) {
  if (who === session.value.claims?.sub) return t("operator.audit.you");
  return by === "operator" ? (name ?? t("operator.audit.operator")) : t("operator.audit.client");
}
