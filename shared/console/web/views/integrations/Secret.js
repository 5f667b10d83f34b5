// Show a secret, this once, and how its owner verifies with it.

import { html, useId, useRef, useState } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { Button, Choice, Dialog, Notice } from "../../ui/index.js";
import { verifyingLines } from "./rules.js";

const LANGUAGES = [
  { id: "python", label: "Python" },
  { id: "node", label: "Node" },
];

/** Show the secret of an endpoint that was made or rotated; nobody sees it again. */
export function Secret({ title, secret, onClose }) {
  const [status, setStatus] = useState("");
  const [language, setLanguage] = useState("python");
  const field = useRef(null);
  const id = useId();
  const copy = async () => {
    field.current.select();
    try {
      await navigator.clipboard.writeText(secret);
      setStatus(t("integrations.secret.copied"));
    } catch {
      field.current.focus();
      setStatus(t("integrations.secret.notCopied"));
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("integrations.secret.done")}<//>
    <${Button} kind="primary" icon="copy" onClick=${copy}>${t("integrations.secret.copy")}<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} foot=${foot}>
    <div class="field">
      <${Notice} tone="warn">${t("integrations.secret.once")}<//>
      <label for=${id}>${t("integrations.secret.label")}</label>
      <input id=${id} class="input" readonly value=${secret} ref=${field} onFocus=${(event) => event.currentTarget.select()} />
      <p role="status">${status}</p>
      <p class="label">${t("integrations.secret.verify")}</p>
      <${Choice} label=${t("integrations.secret.language")} options=${LANGUAGES} chosen=${language} onChoose=${setLanguage} />
      <pre class="integrations-code" dir="ltr" tabindex="0"><code>${verifyingLines(language).join("\n")}</code></pre>
      <p class="hint">${t("integrations.secret.hint")}</p>
    </div>
  <//>`;
}
