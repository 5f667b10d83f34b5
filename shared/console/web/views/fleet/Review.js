// Show what the clean-up will delete and why, and let a person decide.

import { html, useState } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { Age, Button, EmptyState, ErrorState, SkeletonRows } from "../../ui/index.js";
import { Brakes } from "./Brakes.js";
import { Candidate } from "./Candidate.js";
import { usePages } from "./pages.js";
import { Plan } from "./Plan.js";
import { countsOf, word } from "./words.js";

const PAGE = 200;
const LATELY = 20;
const SHOWN_NOTES = 20;

/** Page through the candidates of a stage. */
const useStage = (stage, limit = PAGE) => usePages("fleet/candidates", "candidates", { stage, limit });

export function Review({ fleet }) {
  const [simulating, setSimulating] = useState(false);
  const ran = fleet.data?.sweeps.some((run) => run.kind === "orphans");
  const last = useGet(ran ? "fleet/sweeps/orphans/latest" : null);
  const stages = {
    quarantined: useStage("quarantined"),
    suspected: useStage("suspected"),
    deleting: useStage("deleting"),
    kept: useStage("kept"),
    deleted: useStage("deleted", LATELY),
  };
  const every = Object.values(stages);
  const reload = () => {
    every.forEach((stage) => stage.reload());
    fleet.reload();
  };
  const failed = every.find((stage) => stage.error && !stage.items);
  const coming = every.some((stage) => !stage.items);
  return html`<div class="fleet-review">
    <div class="fleet-intro"><p class="muted">${t("review.intro")}</p>
      <${Button} icon="eye" onClick=${() => setSimulating(true)}>${t("review.simulate")}<//></div>
    ${last.data && html`<${Brakes} report=${last.data} reload=${last.reload} />`}
    ${failed ? html`<${ErrorState} error=${failed.error} onRetry=${reload} />` : coming ? html`<${SkeletonRows} rows=${4} height="7rem" />` : html`<${Sections} stages=${stages} reload=${reload} />`}
    <${Last} last=${last} never=${ran === false} />
    ${simulating && html`<${Plan} onClose=${() => setSimulating(false)} />`}
  </div>`;
}

function Sections({ stages, reload }) {
  const { quarantined, suspected, deleting, kept, deleted } = stages;
  const waiting = quarantined.items.filter((candidate) => candidate.awaits_approval);
  const approved = quarantined.items.filter((candidate) => !candidate.awaits_approval);
  const sections = [
    ["awaiting", waiting, quarantined],
    ["quarantined", approved, waiting.length ? null : quarantined],
    ["suspected", suspected.items, suspected],
    ["deleting", deleting.items, deleting],
    ["kept", kept.items, kept],
    ["deleted", [...deleted.items].sort((one, other) => (one.deleted_at < other.deleted_at ? 1 : -1)), null],
  ];
  const open = waiting.length + approved.length + suspected.items.length + deleting.items.length;
  return html`${open === 0 && html`<${EmptyState} icon="shield-check" title=${t("review.nothing")} text=${t("review.nothing_text")} />`}
    ${sections.map(
      ([name, items, source]) => items.length > 0 && html`<section key=${name} class=${`fleet-stage ${name}`} aria-labelledby=${`fleet-${name}`}>
        <h2 id=${`fleet-${name}`}>${t(`review.${name}`)} <span class="fleet-count">${items.length}${source?.more ? "+" : ""}</span></h2>
        <ul role="list">${items.map((candidate) => html`<${Candidate} key=${candidate.id} candidate=${candidate} reload=${reload} />`)}</ul>
        ${source?.more && html`<p class="fleet-more"><${Button} busy=${source.busy} onClick=${source.more}>${t("review.more")}<//></p>`}
      </section>`,
    )}`;
}

function Last({ last: { data, error, reload }, never }) {
  return html`<section class="card fleet-part" aria-labelledby="fleet-last"><h2 id="fleet-last">${t("review.last.title")}</h2>
    ${never ? html`<p class="muted">${t("review.last.never")}</p>` : data ? html`<${Done} report=${data} />` : error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} rows=${1} />`}
  </section>`;
}

function Done({ report }) {
  const did = countsOf(report.counts);
  const rest = report.notes.length - SHOWN_NOTES + report.more_notes;
  return html`<p>${did.length ? did.join(" · ") : t("fleet.runs.nothing")}</p>
    <p class="muted small">${report.ended_at ? html`${t("review.last.ended", { when: "" })}<${Age} at=${report.ended_at} />` : t("fleet.runs.running")}</p>
    ${report.notes.length > 0 && html`<details class="fleet-table"><summary>${t("review.last.notes")}</summary><ul class="fleet-notes">
      ${report.notes.slice(0, SHOWN_NOTES).map((note) => html`<li>${describeNote(note)}</li>`)}
      ${rest > 0 && html`<li class="muted">${t("review.last.more", { n: rest })}</li>`}</ul></details>`}`;
}

const describeNote = ({ what, instance, server, why }) =>
  html`${word("fleet.counts", what, { n: 1 })}${instance && html` <code>${instance}</code>`}${server && ` · ${t("review.server", { server })}`}${why && html` · <span class="muted">${word("review.why", why)}</span>`}`;
