// Whether records and servers agree: in one sentence, and each violation.

import { html } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { Age, Button, Chip, EmptyState, ErrorState, Icon, Notice, SkeletonRows } from "../../ui/index.js";
import { word } from "./words.js";

const MENDED = new Set(["instance_without_line", "line_without_instance", "slots_wrong"]);

/** The sentence; with `link` it leads to the report. */
export function Stand({ found, link }) {
  if (!found) return html`<p class="muted">${t("fleet.invariants.none")}</p>`;
  const said = found.count
    ? t("fleet.invariants.sentence", { n: found.count, instances: found.instances })
    : t("fleet.invariants.clean", { instances: found.instances });
  return html`<div class=${`fleet-stand ${found.count ? "warn" : "good"}`}>
    <${Icon} name=${found.count ? "shield-alert" : "shield-check"} />
    <div><p class="fleet-sentence">${said}</p>
      <p class="muted small">${t("fleet.invariants.lines", { n: found.lines })} · ${t("fleet.invariants.checked", { when: "" })}<${Age} at=${found.checked_at} /></p>
      ${link && html`<ul role="list" class="fleet-rules">${Object.entries(found.by_rule).map(
        ([rule, n]) => html`<li><span class="fleet-count">${n}</span> ${word("fleet.rules", rule)}</li>`,
      )}</ul><${Button} small to="/report" icon="arrow-right">${t("fleet.invariants.see")}<//>`}
    </div></div>`;
}

/** The whole of it, from the last clean-up. */
export function Report({ fleet }) {
  const { data, error, reload } = fleet;
  const found = data?.invariants;
  if (!data) return error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} />`;
  if (!found) return html`<${EmptyState} icon="shield" title=${t("fleet.invariants.none")} text=${t("fleet.invariants.nothing")} />`;
  return html`<div class="fleet-overview">
    <section class="card fleet-part"><${Stand} found=${found} /></section>
    ${found.unseen.length > 0 && html`<${Notice} tone="warn">${t("fleet.invariants.unseen", { servers: found.unseen.join(", ") })}<//>`}
    ${found.count === 0 && html`<${EmptyState} icon="shield-check" title=${t("fleet.invariants.good")} text=${t("fleet.invariants.good_text")} />`}
    ${grouped(found.violations).map(
      ([rule, several]) => html`<section class="card fleet-part" key=${rule}>
        <header><h2>${word("fleet.rules", rule)} <span class="fleet-count">${found.by_rule[rule] ?? several.length}</span></h2>
          ${MENDED.has(rule) && html`<${Chip} icon="wrench">${t("fleet.invariants.mended")}<//>`}</header>
        <ul role="list" class="fleet-violations">${several.map((each) => html`<${Violation} violation=${each} />`)}</ul>
      </section>`,
    )}
    ${found.count > found.violations.length && html`<p class="muted">${t("fleet.invariants.cut", { shown: found.violations.length, n: found.count })}</p>`}
  </div>`;
}

const grouped = (violations) => [...Map.groupBy(violations, (each) => each.rule)];

function Violation({ violation }) {
  const told = ["instance", "tenant", "server", "count"].filter((name) => violation[name] !== undefined && violation[name] !== null);
  return html`<li>${told.map(
    (name) => html`<span class="fleet-told"><span class="muted small">${t(`fleet.invariants.${name}`)}</span> <code>${violation[name]}</code></span>`,
  )}</li>`;
}
