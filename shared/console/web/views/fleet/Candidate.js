// One instance that may have to go: why, since when, what is at stake, and what a person can say.

import { html, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { formatMoment } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Age, Button, Chip, ConfirmTyped, Icon, Notice, toast } from "../../ui/index.js";
import { word } from "./words.js";

const OPEN = new Set(["suspected", "quarantined"]);

export function Candidate({ candidate, reload }) {
  const { instance, server, tenant, line, cause, cause_since: since, stage } = candidate;
  return html`<li class="card fleet-candidate">
    <header><h3><code>${instance}</code></h3>
      <p class="muted small">${[t("fleet.review.tenant", { tenant }), t("fleet.review.line", { line }), t("fleet.review.server", { server })].join(" · ")}</p></header>
    <p class="fleet-why"><strong>${word("why", cause)}</strong>
      <span class="muted small">${since && html`${t("fleet.review.cause_since", { when: "" })}<${Age} at=${since} /> · `}${t("fleet.review.since", { when: "" })}<${Age} at=${candidate.suspected_at} /></span></p>
    <${Standing} candidate=${candidate} />
    ${(OPEN.has(stage) || stage === "deleting") && html`<${Stakes} candidate=${candidate} />`}
    ${(OPEN.has(stage) || stage === "kept") && html`<${Decision} candidate=${candidate} reload=${reload} />`}
  </li>`;
}

/** What it waits for, or what became of it. */
function Standing({ candidate }) {
  const { stage, due_at: due, awaits_approval: awaits, approved_by: who, kept_by: keeper, deleted_at: at } = candidate;
  const over = due && new Date(due) <= Date.now();
  const when = due && formatMoment(due);
  const said = {
    suspected: () => t("fleet.review.confirming"),
    quarantined: () => (awaits ? t(over ? "fleet.review.due_over" : "fleet.review.due_waiting", { when }) : over ? t("fleet.review.due_next") : t("fleet.review.due", { when })),
    deleting: () => t("fleet.review.deleting"),
    kept: () => t("fleet.review.kept_by", { who: keeper ?? "" }),
    deleted: () => html`${t("fleet.review.deleted_at", { when: "" })}<${Age} at=${at} />`,
  }[stage];
  return html`<p class="fleet-line small"><${Icon} name=${stage === "kept" ? "shield-check" : stage === "deleted" ? "trash" : "clock"} /><span>${said?.() ?? stage}</span>
    ${who && html`<${Chip} tone="warn" icon="check">${t("fleet.review.approved", { who })}<//>`}</p>`;
}

/** What may be lost, worst first. */
function Stakes({ candidate: { paired, stranger, doubtful } }) {
  const warnings = [
    paired === true && ["unplug", t("fleet.review.paired"), "bad"],
    paired !== true && paired !== false && ["info", t("fleet.review.perhaps"), "warn"],
    stranger && ["users", t("fleet.review.stranger"), "warn"],
    doubtful && ["shield-alert", t("fleet.review.doubtful"), "warn"],
  ].filter(Boolean);
  return warnings.map(([icon, words, tone]) => html`<p class=${`fleet-warning ${tone}`}><${Icon} name=${icon} />${words}</p>`);
}

function Decision({ candidate, reload }) {
  const { id, instance, stage, paired, awaits_approval: awaits } = candidate;
  const [busy, setBusy] = useState(null);
  const [error, setError] = useState(null);
  const [typing, type] = useState(false);

  const decide = async (what) => {
    await api.post(`fleet/candidates/${encodeURIComponent(id)}/${what}`);
    const done = { approve: "approved_done", undo: "undone", keep: "kept_done" }[what];
    const back = { label: t("fleet.servers.undo"), run: () => undone(candidate, reload) };
    toast(t(`fleet.review.${done}`, { instance }), what === "undo" ? {} : { action: back });
    reload();
  };
  const now = async (what) => {
    setBusy(what);
    setError(null);
    try {
      await decide(what);
    } catch (failed) {
      setError(failed);
    }
    setBusy(null);
  };
  const kept = stage === "kept";
  const said = (what, name = what) => ({ label: t(`fleet.review.${what}_of`, { instance }), children: t(`fleet.review.${name}`) });
  return html`<footer class="fleet-decision">
      <${Button} icon="undo-2" busy=${busy === "undo"} onClick=${() => now("undo")} label=${kept ? `${t("fleet.review.unkeep")}: ${instance}` : t("fleet.review.undo_of", { instance })}>${t(kept ? "fleet.review.unkeep" : "fleet.review.undo")}<//>
      ${!kept && html`<${Button} icon="shield-check" busy=${busy === "keep"} onClick=${() => now("keep")} ...${said("keep")} />`}
      ${!kept && awaits && html`<${Button} kind="danger" icon="trash" busy=${busy === "approve"} onClick=${() => (paired === false ? now("approve") : type(true))} label=${`${t("fleet.review.approve")}: ${instance}`}>${t("fleet.review.approve")}<//>`}
    </footer>
    ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
    ${typing && html`<${Confirm} candidate=${candidate} onConfirm=${() => decide("approve")} onClose=${() => type(false)} />`}`;
}

function Confirm({ candidate: { instance, server, paired }, onConfirm, onClose }) {
  return html`<${ConfirmTyped} title=${t("fleet.review.confirm_title")} word=${instance} action=${t("fleet.review.approve")} onConfirm=${onConfirm} onClose=${onClose}>
    <p>${t("fleet.review.confirm_text", { instance, server })}</p>
    <${Notice} tone="warn">${t(paired ? "fleet.review.paired" : "fleet.review.perhaps")}<//>
  <//>`;
}

async function undone({ id, instance }, reload) {
  try {
    await api.post(`fleet/candidates/${encodeURIComponent(id)}/undo`);
    toast(t("fleet.review.undone", { instance }));
  } catch (error) {
    toast(sentence(error));
  }
  reload();
}
