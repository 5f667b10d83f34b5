// Add an endpoint, change its secret, tell a span again, disable or delete it: each says what follows from it.

import { html, useId, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { now } from "../../clock.js";
import { lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { isOperator } from "../../session.js";
import { Button, ConfirmTyped, Dialog, Notice, toast } from "../../ui/index.js";
import { change, create, remove, replay, rotate } from "./calls.js";
import { findUrlFault, nameOf, readSpan, toLocalInput, TYPES } from "./rules.js";
import { Secret } from "./Secret.js";

const HOUR_MS = 3_600_000;

export function Adding({ reload, onClose }) {
  const [url, setUrl] = useState("");
  const [description, setDescription] = useState("");
  const [types, setTypes] = useState([]);
  const [lines, setLines] = useState([]);
  const [secret, setSecret] = useState(null);
  const { data } = useGet(isOperator() ? null : "instances");
  const id = useId();
  const fault = findUrlFault(url);
  const go = async () => {
    const made = await create({ url: url.trim(), description: description.trim(), types, lines });
    setSecret(made.secret);
    reload();
  };
  if (secret) return html`<${Secret} title=${t("integrations.secret.made")} secret=${secret} onClose=${onClose} />`;
  return html`<${Asking} title=${t("integrations.add.title")} action=${t("integrations.add.go")} kind="primary"
    disabled=${fault ? t(`integrations.add.${fault}`) : false} onGo=${go} onClose=${onClose} stays>
    <label for=${`${id}-url`}>${t("integrations.add.url")}</label>
    <input id=${`${id}-url`} class="input" type="url" inputmode="url" maxlength="2048" autocomplete="off" spellcheck=${false} value=${url}
      aria-describedby=${`${id}-hint`} onInput=${(event) => setUrl(event.currentTarget.value)} />
    <span id=${`${id}-hint`} class="hint">${t("integrations.add.hint")}</span>
    <label for=${`${id}-description`}>${t("integrations.add.description")}</label>
    <input id=${`${id}-description`} class="input" maxlength="200" autocomplete="off" placeholder=${t("integrations.add.example")} value=${description}
      onInput=${(event) => setDescription(event.currentTarget.value)} />
    <${Choosing} title=${t("integrations.add.types")} all=${t("integrations.add.allTypes")} chosen=${types} onChoose=${setTypes}
      options=${TYPES.map((type) => [type, t(`integrations.types.${type.replace(".", "_")}`)])} />
    ${data?.lines.length > 1 && html`<${Choosing} title=${t("integrations.add.lines")} all=${t("integrations.add.allLines")} chosen=${lines} onChoose=${setLines}
      options=${data.lines.map((line) => [line.line, lineName(line)])} />`}
  <//>`;
}

export function Rotating({ endpoint, reload, onClose }) {
  const [secret, setSecret] = useState(null);
  const go = async () => {
    const rotated = await rotate(endpoint.id);
    setSecret(rotated.secret);
    reload();
  };
  if (secret) return html`<${Secret} title=${t("integrations.secret.made")} secret=${secret} onClose=${onClose} />`;
  return html`<${Asking} title=${t("integrations.rotate.title", { name: nameOf(endpoint) })} action=${t("integrations.rotate.go")} kind="primary" onGo=${go} onClose=${onClose} stays>
    <p>${t("integrations.rotate.text")}</p>
  <//>`;
}

export function Disabling({ endpoint, reload, onClose }) {
  const go = async () => {
    await change(endpoint.id, { state: "disabled" });
    toast(t("integrations.disable.done", { name: nameOf(endpoint) }));
    reload();
  };
  return html`<${Asking} title=${t("integrations.disable.title", { name: nameOf(endpoint) })} action=${t("integrations.disable.action")} kind="danger" onGo=${go} onClose=${onClose}>
    <p>${t("integrations.disable.text")}</p>
  <//>`;
}

export function Replaying({ endpoint, reload, onClose }) {
  const [from, setFrom] = useState(() => toLocalInput(now() - HOUR_MS));
  const [to, setTo] = useState("");
  const id = useId();
  const span = readSpan(from, to, now());
  const go = async () => {
    await replay(endpoint.id, span);
    toast(t("integrations.replay.done", { name: nameOf(endpoint) }));
    reload();
  };
  return html`<${Asking} title=${t("integrations.replay.title", { name: nameOf(endpoint) })} action=${t("integrations.replay.go")} kind="primary"
    disabled=${span.fault ? t(`integrations.replay.${span.fault}`) : false} onGo=${go} onClose=${onClose}>
    <p>${t("integrations.replay.text")}</p>
    <label for=${`${id}-from`}>${t("integrations.replay.since")}</label>
    <input id=${`${id}-from`} class="input" type="datetime-local" value=${from} onInput=${(event) => setFrom(event.currentTarget.value)} />
    <label for=${`${id}-to`}>${t("integrations.replay.to")}</label>
    <input id=${`${id}-to`} class="input" type="datetime-local" value=${to} aria-describedby=${`${id}-hint`} onInput=${(event) => setTo(event.currentTarget.value)} />
    <span id=${`${id}-hint`} class=${span.fault ? "wrong" : "hint"}>${t(span.fault ? `integrations.replay.${span.fault}` : "integrations.replay.hint")}</span>
  <//>`;
}

export function Deleting({ endpoint, reload, onClose }) {
  const name = nameOf(endpoint);
  const confirm = async () => {
    await remove(endpoint.id);
    toast(t("integrations.delete.done", { name }));
    reload();
  };
  return html`<${ConfirmTyped} title=${t("integrations.delete.title", { name })} word=${name} action=${t("integrations.delete.action")} onConfirm=${confirm} onClose=${onClose}>
    <p>${t("integrations.delete.text")}</p>
  <//>`;
}

/** Ask before something is done, and show why it failed. With `stays` the caller shows what follows. */
function Asking({ title, action, kind, disabled = false, onGo, onClose, stays = false, children }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const go = async (event) => {
    event?.preventDefault();
    if (disabled || busy) return;
    setBusy(true);
    setError(null);
    try {
      await onGo();
      if (!stays) onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//>
    <${Button} kind=${kind} busy=${busy} disabled=${disabled} onClick=${go}>${action}<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} foot=${foot}>
    <form class="field" onSubmit=${go}>${children}
      ${error && html`<${Notice} tone="bad">${[sentence(error), ...error.errors?.map(({ message }) => message) ?? []].join(" ")}<//>`}
    </form>
  <//>`;
}

/** Choose some of the options; none chosen means all. */
function Choosing({ title, all, options, chosen, onChoose }) {
  const toggle = (value) => onChoose(chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value]);
  return html`<details class="integrations-choosing"><summary>${title}: <span class="muted">${chosen.length ? chosen.length : all}</span></summary>
    <fieldset class="checks"><legend class="unseen">${title}</legend>
      ${options.map(([value, label]) => html`<label class="check"><input type="checkbox" checked=${chosen.includes(value)} onChange=${() => toggle(value)} />${label}</label>`)}
    </fieldset>
  </details>`;
}
