// What is asked before a line changes, and the link to give away.

import { html, useEffect, useId, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { formatMoment, formatNumber } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, ConfirmTyped, Dialog, Notice, Skeleton, toast } from "../../ui/index.js";
import { disconnect, linkTo, release } from "./changes.js";

export function Disconnecting({ line, onClose, onDone }) {
  const confirm = async () => {
    await disconnect(line.line);
    toast(t("lines.disconnect.done", { label: line.label }));
    onDone();
  };
  return html`<${ConfirmTyped} title=${t("lines.disconnect.title", { label: line.label })} word=${line.label} action=${t("lines.disconnect.action")}
    onConfirm=${confirm} onClose=${onClose}>
    <p>${t("lines.disconnect.text", { number: formatNumber(line.number) })}</p>
    <${Notice} tone="warn">${t("lines.mayNotComeBack")}<//>
  <//>`;
}

export function Releasing({ line, onClose, onDone }) {
  const confirm = async () => {
    await release(line.line);
    toast(t("lines.release.done", { label: line.label }));
    onDone();
  };
  return html`<${ConfirmTyped} title=${t("lines.release.title", { label: line.label })} word=${line.label} action=${t("lines.release.action")}
    onConfirm=${confirm} onClose=${onClose}>
    <p>${t("lines.release.text")}</p>
    ${line.number && html`<${Notice} tone="warn">${t("lines.mayNotComeBack")}<//>`}
  <//>`;
}

/** A link for whoever has the phone, made when it is asked for. */
export function LinkDialog({ line, onClose }) {
  const [link, setLink] = useState(null);
  const [error, setError] = useState(null);
  const id = useId();
  const ask = () => {
    setError(null);
    linkTo(line.line).then(setLink, setError);
  };
  useEffect(ask, []);
  const copy = async () => {
    await navigator.clipboard.writeText(link.url);
    toast(t("lines.link.copied"));
  };
  const share = () => navigator.share({ title: t("lines.link.share", { label: line.label }), url: link.url }).catch(() => {});
  const foot = link && html`${navigator.share && html`<${Button} icon="forward" onClick=${share}>${t("lines.link.give")}<//>`}
    <${Button} kind="primary" icon="copy" onClick=${copy}>${t("lines.link.copy")}<//>`;
  return html`<${Dialog} title=${t("lines.link.title", { label: line.label })} onClose=${onClose} foot=${foot}>
    <div class="field">
      <p>${t("lines.link.text")}</p>
      ${error && html`<${Notice} tone="bad">${sentence(error)} <${Button} small onClick=${ask}>${t("shell.tryAgain")}<//><//>`}
      ${link
        ? html`<label for=${id}>${t("lines.link.label")}</label>
            <input id=${id} class="input" readonly value=${link.url} onFocus=${(event) => event.currentTarget.select()} />
            <span class="hint">${t("lines.link.until", { moment: formatMoment(link.expires_at) })}</span>`
        : !error && html`<${Skeleton} height="2.25rem" />`}
    </div>
  <//>`;
}

/** The name of a new line; `onNamed` is told it. */
export function Naming({ onClose, onNamed }) {
  const [label, setLabel] = useState("");
  const id = useId();
  const fits = label.trim().length > 0;
  const go = (event) => {
    event.preventDefault();
    if (fits) onNamed(label.trim());
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//>
    <${Button} kind="primary" disabled=${fits ? false : t("lines.new.first")} onClick=${go}>${t("lines.new.go")}<//>`;
  return html`<${Dialog} title=${t("lines.new.title")} onClose=${onClose} foot=${foot}>
    <form class="field" onSubmit=${go}>
      <label for=${id}>${t("lines.new.label")}</label>
      <input id=${id} class="input" maxlength="80" autocomplete="off" placeholder=${t("lines.new.example")} value=${label}
        onInput=${(event) => setLabel(event.currentTarget.value)} />
      <span class="hint">${t("lines.new.hint")}</span>
    </form>
  <//>`;
}
