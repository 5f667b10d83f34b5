// A link for whoever has the phone of a client's line.

import { html } from "../../lib.js";
import { api } from "../../api.js";
import { lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { LinkDialog } from "../../ui/index.js";

export function Linking({ line, onClose }) {
  const path = `fleet/tenants/${encodeURIComponent(spelled(line.tenant))}/lines/${encodeURIComponent(line.line)}/link`;
  const make = async () => (await api.post(path)).data;
  return html`<${LinkDialog} title=${t("fleet.link.title")} make=${make} share=${t("fleet.link.title")} notes=${[t("fleet.link.audited")]} onClose=${onClose}>
    ${t("fleet.link.text", { label: lineName(line), tenant: line.tenant })}<//>`;
}

/** As names spell it: a tenant's id with a slash fits into an address only like that. */
const spelled = (tenant) => [...new TextEncoder().encode(tenant)].map(spelledByte).join("");

function spelledByte(byte) {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._-]/.test(character) ? character : `~${byte.toString(16).padStart(2, "0")}`;
}
