// List what an endpoint was told lately, and how it answered.

import { html, useEffect } from "../../lib.js";
import { formatCount } from "../../format.js";
import { has, t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { Age, Chip, ErrorState, SkeletonRows } from "../../ui/index.js";
import { whose } from "./calls.js";
import { outcomeOf } from "./rules.js";

const EVERY_MS = 10_000;
const SHOWN = 20;

/** Show the attempts of an endpoint; a changed `turn` asks for them anew. */
export function Attempts({ id, turn }) {
  const { data, error, reload } = useGet(`endpoints/${id}/attempts`, { query: whose(), every: EVERY_MS });
  useEffect(() => {
    if (turn) reload();
  }, [turn]);
  if (!data) return error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} rows=${3} height="2.5rem" />`;
  if (!data.attempts.length) return html`<p class="muted">${t("integrations.attempts.none")}</p>`;
  return html`<ul role="list">${data.attempts.slice(0, SHOWN).map((attempt) => html`<${Attempt} key=${attempt.event + attempt.at} attempt=${attempt} />`)}</ul>`;
}

function Attempt({ attempt }) {
  const { tone, key } = outcomeOf(attempt);
  const kind = `integrations.types.${attempt.type.replace(".", "_")}`;
  return html`<li>
    <${Chip} tone=${tone}>${t(`integrations.outcomes.${key}`, { status: String(attempt.status) })}<//>
    <span class="integrations-kind">${has(kind) ? t(kind) : attempt.type}</span>
    <span class="muted small nowrap">${formatCount(attempt.ms)} ms</span>
    <span class="muted small nowrap"><${Age} at=${attempt.at} /></span>
    ${attempt.replayed && html`<${Chip}>${t("integrations.attempts.replayed")}<//>`}
    ${attempt.given_up && html`<${Chip} tone="bad">${t("integrations.attempts.givenUp")}<//>`}
    ${attempt.answer && html`<pre class="integrations-answer" dir="auto">${attempt.answer}</pre>`}
  </li>`;
}
