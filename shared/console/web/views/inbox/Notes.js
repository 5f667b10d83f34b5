// Keep notes on a conversation: for the people here only, never sent.

import { html, useId, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { formatMoment } from "../../format.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { Button, Notice, Skeleton } from "../../ui/index.js";
import { Words } from "./FormattedText.js";

const LONGEST = 2_000;

export function Notes({ id }) {
  const path = `conversations/${encodeURIComponent(id)}/notes`;
  const { data, error: failure, reload } = useGet(path);
  const [text, write] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const field = useId();
  const run = async (act) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await act();
      await reload();
    } catch (refusal) {
      setError(refusal);
    }
    setBusy(false);
  };
  const add = (event) => {
    event.preventDefault();
    if (!text.trim()) return;
    run(async () => {
      await api.post(path, { text: text.trim() });
      write("");
    });
  };
  const shown = error ?? failure;
  return html`<section class="field">
    <h3>${t("conversation.notes.title")}</h3>
    <form class="field" onSubmit=${add}>
      <label for=${field} class="unseen">${t("conversation.notes.new")}</label>
      <textarea id=${field} class="input" rows="2" dir="auto" maxlength=${LONGEST} placeholder=${t("conversation.notes.new")} value=${text} onInput=${(event) => write(event.currentTarget.value)}></textarea>
      <div class="row-of"><${Button} small busy=${busy} disabled=${text.trim() ? false : t("conversation.notes.new")} onClick=${add}>${t("conversation.notes.add")}<//><span class="hint">${t("conversation.notes.hint")}</span></div>
    </form>
    ${shown && html`<${Notice} tone="bad">${sentence(shown)}<//>`}
    ${!data && !failure && html`<${Skeleton} height="2rem" />`}
    <ul role="list" class="notes-kept">${data?.notes.map(
      (note) => html`<li key=${note.id}><${Words} text=${note.text} /><p class="foot"><span dir="auto">${note.by}</span><time>${formatMoment(note.at)}</time>
        <${Button} small kind="quiet" icon="trash" label=${t("conversation.notes.delete")} onClick=${() => run(() => api.delete(`${path}/${encodeURIComponent(note.id)}`))} /></p></li>`,
    )}</ul>
  </section>`;
}
