// Show a line: how it is, what went through it lately, and what can be done with it.

import { html, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { formatDay, formatNumber, lineName } from "../../format.js";
import { has, t } from "../../i18n/index.js";
import { Age, Button, Notice, NumberChip, StateChip, toast } from "../../ui/index.js";
import { restart } from "./changes.js";

/** Show a line as a card. `ask(kind)` opens a dialog about it, `connect()` the sheet in which it is paired. */
export function Line({ line, ask, connect }) {
  const reason = `lines.reasons.${line.state}.${line.reason ?? "none"}`;
  return html`<li class="card line"><div class="inside">
    <div class="who-and-how">
      <h2 dir="auto">${lineName(line)}</h2>
      <${StateChip} state=${line.state}>${t(`lines.states.${line.state}`)}<//>
      <span class="muted small"><${Age} at=${line.since} /></span>
    </div>
    <${Number} line=${line} />
    <${Activity} line=${line} />
    ${has(reason) && html`<p class="why">${t(reason, { number: formatNumber(line.number) })}</p>`}
    ${line.restricted_since && html`<${Notice} tone="warn">${t("lines.restricted", { when: formatDay(line.restricted_since) })}<//>`}
    ${line.media_awaited && html`<${Notice}>${t("lines.awaitsMedia", { n: line.media_awaited })}<//>`}
    <${Actions} line=${line} ask=${ask} connect=${connect} />
  </div></li>`;
}

function Number({ line: { line, number, last_number: last } }) {
  if (number) return html`<p><${NumberChip} line=${line} number=${number} /></p>`;
  return html`<p class="muted">${last ? t("lines.lastNumber", { number: formatNumber(last) }) : t("lines.noNumber")}</p>`;
}

/** Show the last message, today's conversations and the server, as far as they are known. */
function Activity({ line: { last_message_at: at, conversations_today: today, server } }) {
  const facts = [
    at && html`${t("lines.lastMessage")} <${Age} at=${new Date(at).toISOString()} />`,
    today !== undefined && t("lines.today", { n: today }),
    server && t("lines.server", { server }),
  ].filter(Boolean);
  return facts.length > 0 && html`<ul class="facts muted small" role="list">${facts.map((fact) => html`<li>${fact}</li>`)}</ul>`;
}

function Actions({ line, ask, connect }) {
  const [busy, setBusy] = useState(false);
  const again = async () => {
    setBusy(true);
    try {
      await restart(line.line);
      toast(t("lines.restarting", { label: lineName(line) }));
    } catch (failure) {
      toast(sentence(failure));
    }
    setBusy(false);
  };
  const open = line.state === "open";
  const calm = ["releasing", "creating"].includes(line.state);
  const button = (name, icon) => html`<${Button} kind="quiet" small icon=${icon} onClick=${() => ask(name)}>${t(`lines.${name}.action`)}<//>`;
  return html`<div class="actions">
      ${!open && line.state !== "conflict" && html`<${Button} kind="primary" icon="qr-code" disabled=${line.state === "releasing" ? t("lines.states.releasing") : false}
        onClick=${connect}>${t("lines.connect")}<//>
        <${Button} icon="link" onClick=${() => ask("link")}>${t("lines.link.action")}<//>`}
      ${open && html`<${Button} icon="rotate-ccw" busy=${busy} onClick=${again}>${t("lines.restart")}<//>`}
      ${(open || line.state === "conflict") && html`<${Button} icon="unplug" onClick=${() => ask("disconnect")}>${t("lines.disconnect.action")}<//>`}
    </div>
    <div class="actions more">${line.media_awaited && button("without", "unplug")}${button("rename", "pen")}${!calm && html`${button("release", "phone")}${button("delete", "trash")}`}</div>`;
}
