import { html, useId, useState } from "../lib.js";
import { t } from "../i18n/index.js";
import { sentence } from "../api.js";
import { Button } from "./Button.js";
import { Dialog } from "./Dialog.js";
import { Notice } from "./States.js";

/**
 * Nothing happens before the person has typed `word`. `action` is what the button says; `onConfirm` is awaited, its failure
 * shown here, and `onClose` called after its success.
 */
export function ConfirmTyped({ title, word, action, onConfirm, onClose, children }) {
  const [typed, type] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const id = useId();
  const same = typed.trim().toLocaleLowerCase() === word.toLocaleLowerCase();
  const confirm = async (event) => {
    event.preventDefault();
    if (!same || busy) return;
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//>
    <${Button} kind="danger" busy=${busy} disabled=${same ? false : t("shell.typeFirst", { word })} onClick=${confirm}>${action}<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} foot=${foot}>
    <form onSubmit=${confirm} class="field">
      ${children}
      <label for=${id}>${t("shell.typeToConfirm", { word })}</label>
      <input id=${id} class="input" autocomplete="off" autocapitalize="off" spellcheck=${false} value=${typed}
        onInput=${(event) => type(event.currentTarget.value)} />
      ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
    </form>
  <//>`;
}
