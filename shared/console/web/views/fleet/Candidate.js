// Show an instance that may be deleted: why, since when, what is at stake, and what a person can decide.

import { now as clock } from "../../clock.js";
import { html, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { formatMoment } from "../../format.js";
import { t } from "../../i18n/index.js";
import { session } from "../../session.js";
import { Age, Button, Chip, ConfirmTyped, Icon, Notice, toast } from "../../ui/index.js";
import { word } from "./words.js";

/** Tell whose decision it was: an operator's id says nothing to people. */
const whose = (id) => (id === session.value.claims?.sub ? "me" : "other");

const OPEN = new Set(["suspected", "quarantined"]);

export function Candidate({ candidate, reload }) {
  const { instance, server, tenant, line, cause, cause_since: since, stage } = candidate;
  return html`<li class="card fleet-candidate">
    <header><h3><code>${instance}</code></h3>
      <p class="muted small">${[t("review.tenant", { tenant }), t("review.line", { line }), t("review.server", { server })].join(" · ")}</p></header>
    <p class="fleet-why"><strong>${word("review.why", cause)}</strong>
      <span class="muted small">${since && html`${t("review.cause_since", { when: "" })}<${Age} at=${since} /> · `}${t("review.since", { when: "" })}<${Age} at=${candidate.suspected_at} /></span></p>
    <${Standing} candidate=${candidate} />
    ${(OPEN.has(stage) || stage === "deleting") && html`<${Stakes} candidate=${candidate} />`}
    ${(OPEN.has(stage) || stage === "kept") && html`<${Decision} candidate=${candidate} reload=${reload} />`}
  </li>`;
}

/** Describe what the candidate waits for, or what was decided. */
function Standing({ candidate }) {
  const { stage, due_at: due, awaits_approval: awaits, approved_by: who, kept_by: keeper, deleted_at: at } = candidate;
  const over = due && new Date(due) <= clock();
  const when = due && formatMoment(due);
  const describe = {
    suspected: () => t("review.confirming"),
    quarantined: () => (awaits ? t(over ? "review.due_over" : "review.due_waiting", { when }) : over ? t("review.due_next") : t("review.due", { when })),
    deleting: () => t("review.deleting"),
    kept: () => t(`review.kept_by.${whose(keeper)}`),
    deleted: () => html`${t("review.deleted_at", { when: "" })}<${Age} at=${at} />`,
  }[stage];
  return html`<p class="fleet-line small"><${Icon} name=${stage === "kept" ? "shield-check" : stage === "deleted" ? "trash" : "clock"} /><span>${describe?.() ?? stage}</span>
    ${who && html`<${Chip} tone="warn" icon="check">${t(`review.approved.${whose(who)}`)}<//>`}</p>`;
}

/** List what may be lost, worst first. */
function Stakes({ candidate: { paired, stranger, doubtful } }) {
  const warnings = [
    paired === true && ["unplug", t("review.paired"), "bad"],
    paired !== true && paired !== false && ["info", t("review.perhaps"), "warn"],
    stranger && ["users", t("review.stranger"), "warn"],
    doubtful && ["shield-alert", t("review.doubtful"), "warn"],
  ].filter(Boolean);
  return warnings.map(([icon, words, tone]) => html`<p class=${`fleet-warning ${tone}`}><${Icon} name=${icon} />${words}</p>`);
}

function Decision({ candidate, reload }) {
  const { id, instance, stage, paired, awaits_approval: awaits } = candidate;
  const [busy, setBusy] = useState(null);
  const [error, setError] = useState(null);
  const [typing, setTyping] = useState(false);

  const decide = async (what) => {
    await api.post(`fleet/candidates/${encodeURIComponent(id)}/${what}`);
    const sentenceName = { approve: "approved_done", undo: "undone", keep: "kept_done" }[what];
    const back = { label: t(what === "keep" ? "review.unkeep" : "review.undo"), run: () => undo(candidate, reload) };
    toast(t(`review.${sentenceName}`, { instance }), what === "undo" ? {} : { action: back });
    reload();
  };
  const decideNow = async (what) => {
    setBusy(what);
    setError(null);
    try {
      await decide(what);
    } catch (failure) {
      setError(failure);
    }
    setBusy(null);
  };
  const isKept = stage === "kept";
  return html`<footer class="fleet-decision">
      <${Button} icon="undo-2" busy=${busy === "undo"} onClick=${() => decideNow("undo")} label=${`${t(isKept ? "review.unkeep" : "review.undo")}: ${instance}`}>${t(isKept ? "review.unkeep" : "review.undo")}<//>
      ${!isKept && html`<${Button} icon="shield-check" busy=${busy === "keep"} onClick=${() => decideNow("keep")} label=${`${t("review.keep")}: ${instance}`}>${t("review.keep")}<//>`}
      ${!isKept && awaits && html`<${Button} kind="danger" icon="trash" busy=${busy === "approve"} onClick=${() => (paired === false ? decideNow("approve") : setTyping(true))} label=${`${t("review.approve")}: ${instance}`}>${t("review.approve")}<//>`}
    </footer>
    ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
    ${typing && html`<${Confirm} candidate=${candidate} onConfirm=${() => decide("approve")} onClose=${() => setTyping(false)} />`}`;
}

function Confirm({ candidate: { instance, server, paired }, onConfirm, onClose }) {
  return html`<${ConfirmTyped} title=${t("review.confirm_title")} word=${t("shell.words.delete")} action=${t("review.approve")} onConfirm=${onConfirm} onClose=${onClose}>
    <p>${t("review.confirm_text", { instance, server })}</p>
    <${Notice} tone="warn">${t(paired ? "review.paired" : "review.perhaps")}<//>
  <//>`;
}

async function undo({ id, instance }, reload) {
  try {
    await api.post(`fleet/candidates/${encodeURIComponent(id)}/undo`);
    toast(t("review.undone", { instance }));
  } catch (error) {
    toast(sentence(error));
  }
  reload();
}
