// A link for whoever has the phone: made when it is asked for, shown once.

import { html, useEffect, useId, useRef, useState } from "../../lib.js";
import { api } from "../../api.js";
import { formatMoment } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Dialog, ErrorState, Skeleton, toast } from "../../ui/index.js";

export function LinkDialog({ line, onClose }) {
  const [made, make] = useState({});
  const address = useRef(null);
  const id = useId();
  const ask = async () => {
    make({});
    try {
      const { data } = await api.post(`fleet/tenants/${encodeURIComponent(spelled(line.tenant))}/lines/${encodeURIComponent(line.line)}/link`);
      make({ link: data });
    } catch (error) {
      make({ error });
    }
  };
  useEffect(() => {
    ask();
  }, []);
  const copy = async () => {
    address.current.select();
    try {
      await navigator.clipboard.writeText(made.link.url);
      toast(t("fleet.link.copied"));
      onClose();
    } catch {
      toast(t("fleet.link.not_copied"));
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("fleet.link.done")}<//>
    <${Button} kind="primary" icon="copy" busy=${!made.link && !made.error} disabled=${made.error ? t("shell.failed") : false} onClick=${copy}>${t("fleet.link.copy")}<//>`;
  return html`<${Dialog} title=${t("fleet.link.title")} onClose=${onClose} foot=${foot}>
    <p>${t("fleet.link.text", { label: line.label, tenant: line.tenant })}</p>
    ${made.error
      ? html`<${ErrorState} error=${made.error} onRetry=${ask} />`
      : html`<div class="field fleet-address"><label for=${id}>${t("fleet.link.address")}</label>${
          made.link
            ? html`<input id=${id} class="input" readonly value=${made.link.url} ref=${address} onFocus=${(event) => event.currentTarget.select()} />`
            : html`<span role="status"><span class="unseen">${t("fleet.link.making")}</span><${Skeleton} height="var(--tap)" /></span>`
        }</div>
        <ul class="fleet-notes"><li>${t("fleet.link.once")}</li>
          <li>${made.link ? t("fleet.link.expires", { when: formatMoment(made.link.expires_at) }) : html`<${Skeleton} width="14rem" />`}</li>
          <li>${t("fleet.link.audited")}</li></ul>`}
  <//>`;
}

/** As names spell it: a tenant's id with a slash fits into an address only like that. */
const spelled = (tenant) => [...new TextEncoder().encode(tenant)].map(spelledByte).join("");

function spelledByte(byte) {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._-]/.test(character) ? character : `~${byte.toString(16).padStart(2, "0")}`;
}
