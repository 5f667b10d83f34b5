import { html, useEffect, useId, useRef, useState } from "../lib.js";
import { sentence } from "../api.js";
import { formatMoment } from "../format.js";
import { t } from "../i18n/index.js";
import { Button } from "./Button.js";
import { Dialog } from "./Dialog.js";
import { Notice, Skeleton } from "./States.js";

/**
 * Create a link when this is shown, and offer it for copying: `make` resolves to {url, expires_at}. `children` say what it is
 * for, `notes` what else to know, `share` is the title under which a phone passes it on.
 */
export function LinkDialog({ title, make, share, notes = [], onClose, children }) {
  const [link, setLink] = useState(null);
  const [error, setError] = useState(null);
  const [status, setStatus] = useState("");
  const address = useRef(null);
  const id = useId();
  const ask = () => {
    setError(null);
    make().then(setLink, setError);
  };
  useEffect(ask, []);
  const copy = async () => {
    address.current.select();
    try {
      await navigator.clipboard.writeText(link.url);
      setStatus(t("shell.link.copied"));
    } catch {
      address.current.focus();
      setStatus(t("shell.link.not_copied"));
    }
  };
  const give = () => navigator.share({ title: share, url: link.url }).catch(() => {});
  const foot = html`<${Button} onClick=${onClose}>${t("shell.link.done")}<//>
    ${link && navigator.share && html`<${Button} icon="forward" onClick=${give}>${t("shell.link.give")}<//>`}
    <${Button} kind="primary" icon="copy" busy=${!link && !error} disabled=${error ? t("shell.failed") : false} onClick=${copy}>${t("shell.link.copy")}<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} foot=${foot}>
    <div class="field">
      <p>${children}</p>
      ${error && html`<${Notice} tone="bad">${sentence(error)} <${Button} small onClick=${ask}>${t("shell.tryAgain")}<//><//>`}
      ${link
        ? html`<label for=${id}>${t("shell.link.address")}</label>
            <input id=${id} class="input" readonly value=${link.url} ref=${address} onFocus=${(event) => event.currentTarget.select()} />
            <ul class="notes hint">${[t("shell.link.once"), t("shell.link.until", { moment: formatMoment(link.expires_at) }), ...notes].map((note) => html`<li>${note}</li>`)}</ul>`
        : !error && html`<span role="status"><span class="unseen">${t("shell.link.making")}</span><${Skeleton} height="var(--tap)" /></span>`}
      <p role="status">${status}</p>
    </div>
  <//>`;
}
