// Confirm a change of a line, name a new one, and offer its pairing link.

import { html, useId, useState } from "../../lib.js";
import { formatNumber, lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, ConfirmTyped, Dialog, LinkDialog, Notice, toast } from "../../ui/index.js";
import { disconnect, createLink, release } from "./changes.js";

export function Disconnecting({ line, onClose, onDone }) {
  const confirm = async () => {
    await disconnect(line.line);
    toast(t("lines.disconnect.done", { label: lineName(line) }));
    onDone();
  };
  return html`<${ConfirmTyped} title=${t("lines.disconnect.title", { label: lineName(line) })} word=${t("shell.words.disconnect")} action=${t("lines.disconnect.action")}
    onConfirm=${confirm} onClose=${onClose}>
    <p>${t("lines.disconnect.text", { number: formatNumber(line.number) })}</p>
    <${Notice} tone="warn">${t("lines.mayNotComeBack")}<//>
  <//>`;
}

export function Releasing({ line, onClose, onDone }) {
  const confirm = async () => {
    await release(line.line);
    toast(t("lines.release.done", { label: lineName(line) }));
    onDone();
  };
  return html`<${ConfirmTyped} title=${t("lines.release.title", { label: lineName(line) })} word=${t("shell.words.release")} action=${t("lines.release.action")}
    onConfirm=${confirm} onClose=${onClose}>
    <p>${t("lines.release.text")}</p>
    ${line.number && html`<${Notice} tone="warn">${t("lines.mayNotComeBack")}<//>`}
  <//>`;
}

/** Offer a link to the person who holds the phone. */
export const Linking = ({ line, onClose }) => html`<${LinkDialog} title=${t("lines.link.title", { label: lineName(line) })} make=${() => createLink(line.line)}
  share=${t("lines.link.share", { label: lineName(line) })} onClose=${onClose}>${t("lines.link.text")}<//>`;

/** Ask for the name of a new line, and pass it to `onNamed`. */
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
