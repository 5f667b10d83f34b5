// Show what a sweep would do now, without doing it.

import { html, useEffect, useState } from "../../lib.js";
import { api } from "../../api.js";
import { t } from "../../i18n/index.js";
import { EmptyState, ErrorState, Notice, Sheet, SkeletonRows } from "../../ui/index.js";
import { Brakes } from "./Brakes.js";
import { Stand } from "./Report.js";
import { word } from "./words.js";

const ORDER = ["delete", "quarantine", "suspect", "clear", "missing", "liar", "stuck"];
const SHOWN = 50;
const PATIENCE_MS = 120_000;

export function Plan({ onClose }) {
  const [plan, setPlan] = useState({});
  const ask = async () => {
    setPlan({});
    try {
      const { data } = await api.get("fleet/sweeps/orphans/plan", { timeout: PATIENCE_MS });
      setPlan({ report: data });
    } catch (error) {
      setPlan({ error });
    }
  };
  useEffect(() => {
    ask();
  }, []);
  return html`<${Sheet} title=${t("review.plan.title")} onClose=${onClose}>
    ${plan.error ? html`<${ErrorState} title=${t("review.plan.failed")} error=${plan.error} onRetry=${ask} />` : plan.report ? html`<${Planned} report=${plan.report} />` : html`<${SkeletonRows} rows=${5} />`}
  <//>`;
}

function Planned({ report }) {
  const steps = Map.groupBy(report.notes.filter((note) => note.step === "plan"), (note) => note.what);
  const kinds = [...ORDER, ...steps.keys()].filter((what, at, all) => steps.has(what) && all.indexOf(what) === at);
  return html`<div class="fleet-plan">
    <${Notice} icon="eye">${t("review.plan.text")}<//>
    <${Brakes} report=${report} />
    ${kinds.length === 0 && !report.brakes.length && html`<${EmptyState} level=${3} icon="shield-check" title=${t("review.plan.nothing")} text=${t(report.invariants?.count ? "review.plan.nothing_but" : "review.plan.nothing_text")} />`}
    ${kinds.map((what) => {
      const notes = steps.get(what);
      return html`<section key=${what}><h3>${word("review.plan", what)} <span class="fleet-count">${notes.length}</span></h3>
        <ul role="list" class="fleet-violations">${notes.slice(0, SHOWN).map(
          (note) => html`<li><code>${note.instance}</code> <span class="muted small">${[note.why && word("review.why", note.why), note.server && t("review.server", { server: note.server })].filter(Boolean).join(" · ")}</span></li>`,
        )}</ul>${notes.length > SHOWN && html`<p class="muted small">${t("review.plan.more", { n: notes.length - SHOWN })}</p>`}</section>`;
    })}
    ${report.invariants && html`<${Stand} invariants=${report.invariants} />`}
  </div>`;
}
