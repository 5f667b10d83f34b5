// Show the fleet at a glance: what needs attention, how full it is, its trend, and its invariants.

import { html } from "../../lib.js";
import { formatCount } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, EmptyState, ErrorState, Icon, Notice, Skeleton } from "../../ui/index.js";
import { sentence } from "../../api.js";
import { Attention } from "./Attention.js";
import { Capacity } from "./Capacity.js";
import { Incidents, Runs } from "./History.js";
import { Stand } from "./Report.js";
import { Trend } from "./Trend.js";

export function Overview({ fleet: { data, error, reload } }) {
  if (!data && error) return html`<${ErrorState} error=${error} onRetry=${reload} />`;
  if (data && !data.servers.length) return html`<${EmptyState} icon="server" title=${t("fleet.empty.title")} text=${t("fleet.empty.text")} />`;
  return html`<div class="fleet-overview">
    ${error && html`<${Notice} tone="warn">${sentence(error)} <${Button} small icon="refresh-cw" onClick=${reload}>${t("shell.tryAgain")}<//><//>`}
    <${Attention} fleet=${data} reload=${reload} />
    <${Totals} totals=${data?.totals} />
    <section aria-labelledby="fleet-capacity"><h2 id="fleet-capacity">${t("fleet.servers.title")}</h2><${Capacity} fleet=${data} reload=${reload} /></section>
    <div class="fleet-two">
      <section class="card fleet-part" aria-labelledby="fleet-trend"><h2 id="fleet-trend">${t("fleet.trend.title")}</h2><${Trend} fleet=${data} /></section>
      <section class="card fleet-part" aria-labelledby="fleet-invariants"><h2 id="fleet-invariants">${t("fleet.invariants.title")}</h2>
        ${data ? html`<${Stand} invariants=${data.invariants} link />` : html`<${Skeleton} height="4rem" />`}</section>
    </div>
    <div class="fleet-two even">
      <section class="card fleet-part" aria-labelledby="fleet-runs"><header><h2 id="fleet-runs">${t("fleet.runs.title")}</h2><${Button} small kind="quiet" to="/history">${t("fleet.runs.all")}<//></header>
        ${data ? html`<${Runs} runs=${data.sweeps.slice(0, 5)} overdue=${data.overdue} />` : html`<${Skeleton} height="12rem" />`}</section>
      <section class="card fleet-part" aria-labelledby="fleet-incidents"><h2 id="fleet-incidents">${t("fleet.incidents.title")}</h2><${Incidents} servers=${data?.servers} limit=${5} /></section>
    </div>
  </div>`;
}

function Totals({ totals }) {
  const off = totals && totals.closed + totals.pairing + totals.never_paired;
  const isCounted = Boolean(totals?.counted_at); // before the first count the zeros mean nothing
  const figures = [
    ["open", totals && (isCounted ? totals.open : null)],
    ["off", totals && (isCounted ? off : null)],
    ["free", totals?.free, totals && t("fleet.totals.of", { n: totals.limit })],
    ["servers", totals?.answering, totals && t("fleet.totals.of", { n: totals.servers }), totals && totals.answering < totals.servers && "server-off"],
  ];
  return html`<dl class="fleet-totals" aria-label=${t("fleet.totals.label")}>${figures.map(
    ([name, n, of, icon]) => html`<div class=${`fleet-figure${icon ? " bad" : ""}`}><dt>${icon && html`<${Icon} name=${icon} />`}${t(`fleet.totals.${name}`)}</dt>
      <dd class="tabular">${n === undefined ? html`<${Skeleton} width="3ch" height="1.9rem" />` : html`${n === null ? html`<span title=${t("fleet.totals.uncounted")}>–<span class="unseen">${t("fleet.totals.uncounted")}</span></span>` : formatCount(n)} ${of && html`<small>${of}</small>`}`}</dd></div>`,
  )}</dl>`;
}
