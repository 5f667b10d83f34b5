import { html, useId, useState } from "../lib.js";
import { t } from "../i18n/index.js";
import { sentence } from "../api.js";
import { Button } from "./Button.js";
import { Dialog } from "./Dialog.js";
import { Notice } from "./States.js";

/**
 * Ask the person to type `word`, a short one that says what happens, before they can confirm. `action` is the button's label; `onConfirm` is awaited: a failure is
 * shown here, and `onClose` is called after a success.
 */
export function ConfirmTyped({ title, word, action, onConfirm, onClose, children }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const id = useId();
  const same = text.trim().toLocaleLowerCase() === word.toLocaleLowerCase();
  const confirm = async (event) => {
    event.preventDefault();
    if (!same || busy) return;
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//>
    <${Button} kind="danger" busy=${busy} disabled=${same ? false : t("shell.typeFirst", { word })} onClick=${confirm}>${action}<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} foot=${foot}>
    <form onSubmit=${confirm} class="field">
      ${children}
      <label for=${id}>${t("shell.typeToConfirm", { word })}</label>
      <input id=${id} class="input" autocomplete="off" autocapitalize="off" spellcheck=${false} value=${text}
        onInput=${(event) => setText(event.currentTarget.value)} />
      ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
    </form>
  <//>`;
}
