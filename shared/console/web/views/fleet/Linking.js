// Offer a pairing link for a client's line, for the person who holds the phone.

import { html } from "../../lib.js";
import { api } from "../../api.js";
import { lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { LinkDialog } from "../../ui/index.js";

export function Linking({ line, onClose }) {
  const path = `${tenantPath(line.tenant)}/lines/${encodeURIComponent(line.line)}/link`;
  const make = async () => (await api.post(path)).data;
  return html`<${LinkDialog} title=${t("fleet.link.title")} make=${make} share=${t("fleet.link.title")} notes=${[t("fleet.link.audited")]} onClose=${onClose}>
    ${t("fleet.link.text", { label: lineName(line), tenant: line.tenant })}<//>`;
}

/** Return the functions' path of a client. */
export const tenantPath = (tenant) => `fleet/tenants/${encodeURIComponent(spell(tenant))}`;

/** Escape a tenant's id for an address, as the functions' `names.spell` does: it may hold a slash. */
const spell = (tenant) => [...new TextEncoder().encode(tenant)].map(spellByte).join("");

function spellByte(byte) {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._-]/.test(character) ? character : `~${byte.toString(16).padStart(2, "0")}`;
}
