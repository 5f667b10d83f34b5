// Show whether records and servers agree: in one sentence, and with every violation.

import { html } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { Age, Button, Chip, EmptyState, ErrorState, Icon, Notice, SkeletonRows } from "../../ui/index.js";
import { word } from "./words.js";

/** Rules whose violations end otherwise than by a person who looks. */
const ENDINGS = new Set(["instance_without_line", "line_without_instance", "slots_wrong"]);

/** Show the sentence; with `link` also the rules and a link to the report. */
export function Stand({ invariants, link }) {
  if (!invariants) return html`<p class="muted">${t("fleet.invariants.none")}</p>`;
  const text = invariants.count
    ? t("fleet.invariants.sentence", { n: invariants.count, instances: invariants.instances })
    : t("fleet.invariants.clean", { instances: invariants.instances });
  return html`<div class=${`fleet-stand ${invariants.count ? "warn" : "good"}`}>
    <${Icon} name=${invariants.count ? "shield-alert" : "shield-check"} />
    <div><p class="fleet-sentence">${text}</p>
      <p class="muted small">${t("fleet.invariants.lines", { n: invariants.lines })} · ${t("fleet.invariants.checked", { when: "" })}<${Age} at=${invariants.checked_at} /></p>
      ${link && html`<ul role="list" class="fleet-rules">${Object.entries(invariants.by_rule).map(
        ([rule, n]) => html`<li><span class="fleet-count">${n}</span> ${word("fleet.rules", rule)}</li>`,
      )}</ul><${Button} small to="/report" icon="arrow-right">${t("fleet.invariants.see")}<//>`}
    </div></div>`;
}

/** Show the whole report of the last clean-up. */
export function Report({ fleet }) {
  const { data, error, reload } = fleet;
  const invariants = data?.invariants;
  if (!data) return error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} />`;
  if (!invariants) return html`<${EmptyState} icon="shield" title=${t("fleet.invariants.none")} text=${t("fleet.invariants.nothing")} />`;
  return html`<div class="fleet-overview">
    <section class="card fleet-part"><${Stand} invariants=${invariants} /></section>
    ${invariants.unseen.length > 0 && html`<${Notice} tone="warn">${t("fleet.invariants.unseen", { servers: invariants.unseen.join(", ") })}<//>`}
    ${invariants.count === 0 && html`<${EmptyState} icon="shield-check" title=${t("fleet.invariants.good")} text=${t("fleet.invariants.good_text")} />`}
    ${groupByRule(invariants.violations).map(
      ([rule, several]) => html`<section class="card fleet-part" key=${rule}>
        <header><h2>${word("fleet.rules", rule)} <span class="fleet-count">${invariants.by_rule[rule] ?? several.length}</span></h2>
          ${ENDINGS.has(rule) ? html`<${Chip} icon="info">${t(`fleet.endings.${rule}`)}<//>` : html`<${Chip} tone="warn" icon="eye">${t("fleet.endings.person")}<//>`}</header>
        <ul role="list" class="fleet-violations">${several.map((violation) => html`<${Violation} violation=${violation} />`)}</ul>
      </section>`,
    )}
    ${invariants.count > invariants.violations.length && html`<p class="muted">${t("fleet.invariants.cut", { shown: invariants.violations.length, n: invariants.count })}</p>`}
  </div>`;
}

const groupByRule = (violations) => [...Map.groupBy(violations, (violation) => violation.rule)];

function Violation({ violation }) {
  const names = ["instance", "tenant", "server", "count"].filter((name) => violation[name] !== undefined && violation[name] !== null);
  return html`<li>${names.map(
    (name) => html`<span class="fleet-told"><span class="muted small">${t(`fleet.invariants.${name}`)}</span> <code>${violation[name]}</code></span>`,
  )}</li>`;
}
