// Confirm a change of a line, name a new one, and offer its pairing link.

import { html, useId, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { formatNumber, lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, ConfirmTyped, Dialog, LinkDialog, Notice, toast } from "../../ui/index.js";
import { createLink, disconnect, leaveWithoutMedia, release, rename } from "./changes.js";

export function Disconnecting({ line, onClose, onDone }) {
  const confirm = async () => {
    tell(await disconnect(line.line), "lines.disconnect.done", line);
    onDone();
  };
  return html`<${ConfirmTyped} title=${t("lines.disconnect.title", { label: lineName(line) })} word=${t("shell.words.disconnect")} action=${t("lines.disconnect.action")}
    onConfirm=${confirm} onClose=${onClose}>
    <p>${t("lines.disconnect.text", { number: formatNumber(line.number) })}</p>
    <${Notice} tone="warn">${t("lines.mayNotComeBack")}<//>
  <//>`;
}

export function Releasing({ line, onClose, onDone, onWaiting }) {
  const confirm = async () => {
    const left = await release(line.line);
    tell(left, "lines.release.done", line);
    (left ? onWaiting : onDone)();
  };
  return html`<${ConfirmTyped} title=${t("lines.release.title", { label: lineName(line) })} word=${t("shell.words.release")} action=${t("lines.release.action")}
    onConfirm=${confirm} onClose=${onClose}>
    <p>${t("lines.release.text")}</p>
    ${line.number && html`<${Notice} tone="warn">${t("lines.mayNotComeBack")}<//>`}
  <//>`;
}

/** Confirm that a line goes for good, after what that means. */
export function Deleting({ line, onClose, onDone }) {
  const confirm = async () => {
    tell(await release(line.line), "lines.delete.done", line);
    onDone();
  };
  const number = line.number ?? line.last_number;
  const consequences = [number && t("lines.delete.number", { number: formatNumber(number) }), t("lines.delete.conversations"), t("lines.delete.plan")].filter(Boolean);
  return html`<${ConfirmTyped} title=${t("lines.delete.title", { label: lineName(line) })} word=${t("shell.words.delete")} action=${t("lines.delete.action")}
    onConfirm=${confirm} onClose=${onClose}>
    <ul class="notes">${consequences.map((words) => html`<li>${words}</li>`)}</ul>
    ${line.number && html`<${Notice} tone="warn">${t("lines.mayNotComeBack")}<//>`}
  <//>`;
}

/** Confirm that a line goes without the files that aren't stored yet. */
export function LeavingWithoutMedia({ line, onClose, onDone }) {
  const confirm = async () => {
    await leaveWithoutMedia(line);
    onDone();
  };
  return html`<${ConfirmTyped} title=${t("lines.without.title", { label: lineName(line) })} word=${t("shell.words.disconnect")} action=${t("lines.without.action")}
    onConfirm=${confirm} onClose=${onClose}>
    <p>${t("lines.without.text", { n: line.media_awaited })}</p>
  <//>`;
}

/** Say what became of a line that was to go: it did, or it waits for files. */
const tell = (left, done, line) => toast(left?.media_awaited ? t("lines.awaitsMedia", { n: left.media_awaited }) : t(done, { label: lineName(line) }));

/** Offer a link to the person who holds the phone. */
export const Linking = ({ line, onClose }) => html`<${LinkDialog} title=${t("lines.link.title", { label: lineName(line) })} make=${() => createLink(line.line)}
  share=${t("lines.link.share", { label: lineName(line) })} onClose=${onClose}>${t("lines.link.text")}<//>`;

/** Ask for the name of a new line, and pass it to `onNamed`. */
export const Naming = ({ onClose, onNamed }) => html`<${NameDialog} title=${t("lines.new.title")} action=${t("lines.new.go")} onNamed=${onNamed} onClose=${onClose} />`;

/** Give a line another name. */
export function Renaming({ line, onClose, onDone }) {
  const save = async (label) => {
    await rename(line.line, label);
    toast(t("lines.rename.done", { label }));
    onDone();
    onClose();
  };
  return html`<${NameDialog} title=${t("lines.rename.title", { label: lineName(line) })} action=${t("lines.rename.save")} first=${line.label} onNamed=${save} onClose=${onClose} />`;
}

function NameDialog({ title, action, first = "", onNamed, onClose }) {
  const [label, setLabel] = useState(first);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const id = useId();
  const fits = label.trim().length > 0;
  const go = async (event) => {
    event.preventDefault();
    if (!fits || busy) return;
    setBusy(true);
    try {
      await onNamed(label.trim());
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//>
    <${Button} kind="primary" busy=${busy} disabled=${fits ? false : t("lines.new.first")} onClick=${go}>${action}<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} foot=${foot}>
    <form class="field" onSubmit=${go}>
      <label for=${id}>${t("lines.new.label")}</label>
      <input id=${id} class="input" maxlength="80" autocomplete="off" autofocus placeholder=${t("lines.new.example")} value=${label}
        onInput=${(event) => setLabel(event.currentTarget.value)} />
      <span class="hint">${t("lines.new.hint")}</span>
      ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
    </form>
  <//>`;
}
