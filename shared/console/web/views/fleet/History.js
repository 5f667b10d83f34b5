// Show the runs of sweeps, and past and open incidents.

import { html, useState } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { Age, Button, Chip, Choice, EmptyState, ErrorState, SkeletonRows } from "../../ui/index.js";
import { useSearchParams } from "../../router.js";
import { usePages } from "./pages.js";
import { SweepNow } from "./SweepNow.js";
import { causeOf, countsOf, span, word } from "./words.js";

/** List runs with short reports, newest first. */
export function Runs({ runs, overdue = [] }) {
  if (!runs.length) return html`<${EmptyState} level=${3} icon="clock" title=${t("fleet.runs.none")} text=${t("fleet.runs.none_text")} />`;
  const newest = new Set(["orphans", "capacity"].map((kind) => runs.find((run) => run.kind === kind)?.id));
  return html`<ul role="list" class="fleet-list">${runs.map(
    (run) => html`<${Run} key=${run.id} run=${run} late=${newest.has(run.id) && overdue.includes(run.kind)} />`,
  )}</ul>`;
}

function Run({ run, late }) {
  const did = countsOf(run.counts);
  const stopped = Object.keys(run.stopped_at).length > 0;
  return html`<li>
    <p class="fleet-line"><strong class="fleet-kind">${word("fleet.kinds", run.kind)}</strong><span class="muted small"><${Age} at=${run.started_at} /> · ${
      run.ended_at ? t("fleet.runs.took", { span: span(run.started_at, run.ended_at) }) : t("fleet.runs.running")
    }</span>
      ${late && html`<${Chip} tone="bad" icon="clock">${t("fleet.runs.overdue")}<//>`}
      ${run.braked_by.length > 0 && html`<${Chip} tone="warn" icon="pause">${t("fleet.runs.braked")}<//>`}
      ${run.violations > 0 && html`<${Chip} tone="warn" icon="shield-alert">${t("fleet.runs.violations", { n: run.violations })}<//>`}</p>
    <p class="small muted">${did.length ? did.join(" · ") : t("fleet.runs.nothing")}${stopped && ` · ${t("fleet.runs.stopped")}`}</p>
  </li>`;
}

/** List incidents, open ones first. */
export function Incidents({ servers, limit = 50 }) {
  const { items, error, reload, more, busy } = usePages("fleet/incidents", "incidents", { limit });
  if (!items) return error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} rows=${3} />`;
  if (!items.length) return html`<${EmptyState} level=${3} icon="circle-check" title=${t("fleet.incidents.none")} text=${t("fleet.incidents.none_text")} />`;
  const ordered = [...items].sort((one, other) => Boolean(one.resolved_at) - Boolean(other.resolved_at));
  return html`<ul role="list" class="fleet-list">${ordered.map((incident) => html`<${IncidentRow} key=${incident.id} incident=${incident} servers=${servers} />`)}</ul>
    ${more && limit > 5 && html`<p class="fleet-more"><${Button} busy=${busy} onClick=${more}>${t("fleet.runs.more")}<//></p>`}`;
}

function IncidentRow({ incident, servers }) {
  const { since, resolved_at: over, severity } = incident;
  return html`<li>
    <p class="fleet-line">${
      over
        ? html`<${Chip} tone="good" icon="check">${t("fleet.incidents.over")}<//>`
        : html`<${Chip} tone=${severity === "critical" ? "bad" : "warn"} icon="circle-alert">${t("fleet.incidents.open")}<//>`
    }<strong>${causeOf(incident, servers)}</strong></p>
    <p class="small muted"><${Age} at=${since} /> · ${t(over ? "fleet.incidents.lasted" : "fleet.incidents.lasting", { span: span(since, over ?? undefined) })}</p>
  </li>`;
}

/** Show all runs of a kind, and all incidents. */
export function History({ fleet }) {
  const [params, setParams] = useSearchParams();
  const kind = params.get("kind") === "capacity" ? "capacity" : "orphans";
  const [ended, count] = useState(0);
  const choose = (id) => setParams(id === "orphans" ? {} : { kind: id }, { replace: true });
  return html`<div class="fleet-two even">
    <section class="card fleet-part" aria-labelledby="fleet-runs"><header><h2 id="fleet-runs">${t("fleet.runs.title")}</h2>
      <${Choice} label=${t("fleet.runs.kind")} chosen=${kind} onChoose=${choose} options=${["orphans", "capacity"].map((id) => ({ id, label: word("fleet.kinds", id) }))} /></header>
      <${SweepNow} key=${`${kind}-now`} kind=${kind} onEnd=${() => (fleet.reload(), count((n) => n + 1))} />
      <${KindRuns} key=${`${kind}-${ended}`} kind=${kind} overdue=${fleet.data?.overdue} /></section>
    <section class="card fleet-part" aria-labelledby="fleet-incidents"><h2 id="fleet-incidents">${t("fleet.incidents.title")}</h2><${Incidents} servers=${fleet.data?.servers} /></section>
  </div>`;
}

function KindRuns({ kind, overdue }) {
  const { items, error, reload, more, busy } = usePages("fleet/sweeps", "reports", { kind, limit: 30 });
  if (!items) return error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} />`;
  return html`<${Runs} runs=${items} overdue=${overdue} />
    ${more && html`<p class="fleet-more"><${Button} busy=${busy} onClick=${more}>${t("fleet.runs.more")}<//></p>`}`;
}
