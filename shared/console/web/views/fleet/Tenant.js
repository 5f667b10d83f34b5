// Show a client: status, plan, lines and last message, and change what an operator may.

import { html, useId, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { formatBytes, formatNumber, lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { Age, Button, Chip, ConfirmTyped, ErrorState, Notice, Sheet, SkeletonRows, StateChip, toast } from "../../ui/index.js";
import { isOff } from "./lines.js";
import { Linking, tenantPath } from "./Linking.js";
import { word } from "./words.js";

const MOST_LINES = 1_000;
const MOST_DAYS = 3_650;
const TONES = { active: "good", suspended: "warn", cancelled: "bad" };

export const StatusChip = ({ status }) => html`<${Chip} tone=${TONES[status]} dot>${word("operator.clients.statuses", status)}<//>`;

export function Tenant({ tenant, onClose, onChange }) {
  const { data, error, reload } = useGet(tenantPath(tenant));
  const [asking, ask] = useState(null);
  const change = async (body, words) => {
    await api.put(tenantPath(tenant), body);
    toast(t(words, { tenant }));
    reload();
    onChange();
  };
  return html`<${Sheet} title=${tenant} onClose=${onClose}>
    ${!data && (error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} rows=${4} />`)}
    ${data && html`<div class="fleet-client">
      <p><${StatusChip} status=${data.status} /> <span class="muted small">${data.last_message_at ? html`${t("operator.clients.last_message")} <${Age} at=${new Date(data.last_message_at).toISOString()} />` : t("operator.clients.no_message")}</span></p>
      <${Plan} client=${data} change=${change} />
      <section><h3>${t("operator.clients.lines")}</h3><${Lines} lines=${data.instances} onLink=${(line) => ask({ line })} /></section>
      <${Media} client=${data} change=${change} />
      <${Status} status=${data.status} change=${change} onCancel=${() => ask({ cancel: true })} />
    </div>`}
    ${asking?.line && html`<${Linking} line=${asking.line} onClose=${() => ask(null)} />`}
    ${asking?.cancel && html`<${ConfirmTyped} title=${t("operator.clients.cancel_title", { tenant })} word=${t("operator.clients.cancel_word")} action=${t("operator.clients.cancel")} onClose=${() => ask(null)}
      onConfirm=${() => change({ status: "cancelled" }, "operator.clients.cancelled")}><p>${t("operator.clients.cancel_text")}</p><//>`}
  <//>`;
}

/** Edit one number of a client; it is saved by a button. */
function NumberField({ name, value, most, label, wrong, saved, change }) {
  const [text, setText] = useState(String(value));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const id = useId();
  const number = Number(text);
  const fits = /^\d+$/.test(text) && number <= most;
  const save = async (event) => {
    event.preventDefault();
    if (!fits || busy || number === value) return;
    setBusy(true);
    setError(null);
    await change({ [name]: number }, saved).catch(setError);
    setBusy(false);
  };
  return html`<form class="field fleet-limit" onSubmit=${save}><label for=${id}>${t(label)}</label>
    <div><input id=${id} class="input" type="number" min="0" max=${most} inputmode="numeric" value=${text} onInput=${(event) => setText(event.currentTarget.value)} />
      <${Button} busy=${busy} disabled=${!fits ? t(wrong) : number === value ? t("operator.clients.unchanged") : false} onClick=${save}>${t("operator.clients.save")}<//></div>
    ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}</form>`;
}

const Plan = ({ client, change }) => html`<${NumberField} key=${`plan ${client.max_lines}`} name="max_lines" value=${client.max_lines} most=${MOST_LINES}
  label="operator.clients.max_lines" wrong="operator.clients.not_a_number" saved="operator.clients.plan_saved" change=${change} />`;

/** Show what is stored of a client's media, and for how long; nothing in a deployment without a bucket. */
const Media = ({ client: { media, media_days: days }, change }) =>
  media && html`<section><h3>${t("operator.clients.media")}</h3>
    <${NumberField} key=${`days ${days}`} name="media_days" value=${days} most=${MOST_DAYS}
      label="operator.clients.media_days" wrong="operator.clients.media_days_wrong" saved="operator.clients.media_saved" change=${change} />
    <p class="muted small">${t("operator.clients.media_stored", { n: media.files, size: formatBytes(media.bytes) })}</p></section>`;

function Lines({ lines, onLink }) {
  if (!lines.length) return html`<p class="muted">${t("operator.clients.no_lines")}</p>`;
  return html`<ul role="list" class="fleet-list">${lines.map((line) => {
    const number = line.number ?? line.last_number;
    return html`<li key=${line.instance}><p class="fleet-line"><strong dir="auto">${lineName(line)}</strong><${StateChip} state=${line.state}>${word("fleet.states", line.state)}<//>
        <span class="small muted">${number ? formatNumber(number) : t("fleet.instances.no_number")} · <${Age} at=${line.since} /></span></p>
      ${isOff(line) && html`<${Button} small icon="link" label=${t("fleet.instances.link_of", { label: lineName(line), tenant: line.tenant })} onClick=${() => onLink(line)}>${t("fleet.instances.link")}<//>`}</li>`;
  })}</ul>`;
}

function Status({ status, change, onCancel }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const turn = async (to, words) => {
    setBusy(true);
    setError(null);
    await change({ status: to }, words).catch(setError);
    setBusy(false);
  };
  return html`<section><h3>${t("operator.clients.status")}</h3><p class="muted small">${t(`operator.clients.means.${status}`)}</p>
    <div class="fleet-decision">
      ${status === "active" && html`<${Button} icon="pause" busy=${busy} onClick=${() => turn("suspended", "operator.clients.suspended")}>${t("operator.clients.suspend")}<//>`}
      ${status !== "active" && html`<${Button} icon="play" busy=${busy} onClick=${() => turn("active", "operator.clients.resumed")}>${t("operator.clients.resume")}<//>`}
      ${status !== "cancelled" && html`<${Button} kind="danger" icon="ban" onClick=${onCancel}>${t("operator.clients.cancel")}<//>`}
    </div>${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}</section>`;
}
