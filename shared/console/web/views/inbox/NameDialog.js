// Name a contact: the name stays, whatever the contact calls themself.

import { html, useId, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { Button, Dialog, Notice } from "../../ui/index.js";

const LONGEST = 100;

/** Ask for the name; `onNamed` gets the conversation's contact as it is now. */
export function NameDialog({ conversation, onNamed, onClose }) {
  const { id, contact } = conversation;
  const [name, setName] = useState(contact.name ?? "");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const field = useId();
  const save = async (event, given = name.trim() || null) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const { data } = await api.patch(`conversations/${encodeURIComponent(id)}`, { name: given });
      onNamed(data.contact);
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const foot = html`${contact.given && html`<${Button} busy=${busy} onClick=${(event) => save(event, null)}>${t("inbox.name.remove")}<//>`}
    <${Button} kind="primary" busy=${busy} onClick=${save}>${t("inbox.name.save")}<//>`;
  return html`<${Dialog} title=${t("inbox.name.title")} onClose=${onClose} foot=${foot}>
    <form class="field" onSubmit=${save}>
      <label for=${field}>${t("inbox.name.label")}</label>
      <input id=${field} class="input" dir="auto" autocomplete="off" maxlength=${LONGEST} value=${name} onInput=${(event) => setName(event.currentTarget.value)} />
      <span class="hint">${t("inbox.name.hint")}</span>
      ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
    </form>
  <//>`;
}
