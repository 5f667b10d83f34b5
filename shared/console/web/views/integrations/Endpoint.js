// Show one endpoint: its state in words, what it wants, and what it was told lately.

import { html, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { Age, Button, Chip, Notice, toast } from "../../ui/index.js";
import { Attempts } from "./Attempts.js";
import { change, test } from "./calls.js";
import { nameOf, outcomeOf, reasonOf, splitLag, toneOf } from "./rules.js";

export function Endpoint({ endpoint, open, reload }) {
  const [busy, setBusy] = useState("");
  const [attempts, setAttempts] = useState({ shown: false, turn: 0 });
  const isOff = endpoint.state === "disabled";
  const name = nameOf(endpoint);
  const run = (kind, act) => async () => {
    setBusy(kind);
    try {
      await act();
    } catch (failure) {
      toast(sentence(failure));
    }
    setBusy("");
  };
  const probe = run("test", async () => {
    const attempt = await test(endpoint.id);
    const { key } = outcomeOf(attempt);
    toast(t(attempt.succeeded ? "integrations.test.done" : "integrations.test.failed", { outcome: t(`integrations.outcomes.${key}`, { status: String(attempt.status) }) }));
    setAttempts(({ turn }) => ({ shown: true, turn: turn + 1 }));
  });
  const enable = run("enable", async () => {
    await change(endpoint.id, { state: "active" });
    toast(t("integrations.enable.done", { name }));
    await reload();
  });
  const button = (kind, icon, more) => html`<${Button} icon=${icon} label=${`${t(`integrations.${kind}.action`)}: ${name}`} onClick=${() => open(kind)} ...${more}>${t(`integrations.${kind}.action`)}<//>`;
  return html`<li class="card integrations-one"><div class="inside">
    <div class="integrations-head">
      <h2 dir="auto">${name}</h2>
      <${Chip} tone=${toneOf(endpoint)} dot>${t(`integrations.conditions.${endpoint.condition}`)}<//>
    </div>
    <p class="integrations-url"><code dir="ltr">${endpoint.url}</code></p>
    <${Why} endpoint=${endpoint} />
    <dl class="integrations-facts">
      <div><dt>${t("integrations.facts.lag")}</dt><dd>${lag(endpoint)}</dd></div>
      <div><dt>${t("integrations.facts.told")}</dt><dd>${endpoint.told_at === endpoint.created_at ? t("integrations.facts.never") : html`<${Age} at=${endpoint.told_at} />`}</dd></div>
      <div><dt>${t("integrations.facts.wants")}</dt><dd>${wants(endpoint)}</dd></div>
    </dl>
    ${endpoint.replay && html`<${Notice} icon="rotate-ccw">${t("integrations.replay.running")}<//>`}
    ${endpoint.previous_secret_until && html`<${Notice} icon="timer">${t("integrations.rotate.both")} <${Age} at=${endpoint.previous_secret_until} /><//>`}
    <div class="actions">
      <${Button} icon="send" busy=${busy === "test"} label=${`${t("integrations.test.action")}: ${name}`} onClick=${probe}>${t("integrations.test.action")}<//>
      ${button("replay", "rotate-ccw", { disabled: isOff ? t("integrations.replay.off") : endpoint.replay ? t("integrations.replay.running") : false })}
      ${button("rotate", "refresh-cw")}
      ${isOff
        ? html`<${Button} icon="play" busy=${busy === "enable"} label=${`${t("integrations.enable.action")}: ${name}`} onClick=${enable}>${t("integrations.enable.action")}<//>`
        : button("disable", "pause")}
      ${button("delete", "trash", { kind: "quiet" })}
    </div>
    <details class="integrations-attempts" open=${attempts.shown} onToggle=${(event) => {
      const shown = event.currentTarget.open; // the event is over when the state is computed
      setAttempts((before) => (before.shown === shown ? before : { ...before, shown }));
    }}>
      <summary>${t("integrations.attempts.title")}</summary>
      ${attempts.shown && html`<${Attempts} id=${endpoint.id} turn=${attempts.turn} />`}
    </details>
  </div></li>`;
}

function Why({ endpoint }) {
  const reason = reasonOf(endpoint);
  if (!reason) return null;
  const retry = endpoint.state === "active" && endpoint.retry_at;
  return html`<${Notice} tone=${toneOf(endpoint)}>${t(`integrations.reasons.${reason}`, { n: endpoint.held.length || endpoint.failures })}
    ${retry && html` ${t("integrations.facts.next")} <${Age} at=${retry} />`}<//>`;
}

function lag({ lag_seconds: seconds, state }) {
  if (state === "disabled") return t("integrations.facts.off");
  if (!seconds) return t("integrations.facts.upToDate");
  const { n, unit } = splitLag(seconds);
  return t(`integrations.lag.${unit}`, { n });
}

function wants({ types, lines }) {
  const kinds = types.length ? t("integrations.facts.types", { n: types.length }) : t("integrations.facts.allTypes");
  return lines.length ? `${kinds} · ${t("integrations.facts.lines", { n: lines.length })}` : kinds;
}

