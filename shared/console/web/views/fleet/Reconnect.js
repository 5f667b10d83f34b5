// Offer a reconnect link for a client's lines that are off, from where it is said that they are.

import { html, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Dialog, StateChip, toast } from "../../ui/index.js";
import { isOff } from "./lines.js";
import { Linking, tenantPath } from "./Linking.js";
import { word } from "./words.js";

/** Find the lines that are off; with one its link is made at once, with several a person chooses. */
export function Reconnect({ tenant, about }) {
  const [lines, setLines] = useState([]);
  const [busy, setBusy] = useState(false);
  const find = async () => {
    setBusy(true);
    try {
      const { data } = await api.get(tenantPath(tenant));
      const off = data.instances.filter(isOff);
      setLines(off);
      if (!off.length) toast(t("fleet.link.all_on"));
    } catch (failure) {
      toast(sentence(failure));
    }
    setBusy(false);
  };
  const label = t("fleet.instances.link");
  return html`<${Button} kind="primary" icon="link" busy=${busy} label=${`${label}: ${about}`} onClick=${find}>${label}<//>
    ${lines.length === 1 && html`<${Linking} line=${lines[0]} onClose=${() => setLines([])} />`}
    ${lines.length > 1 && html`<${Choosing} lines=${lines} onChoose=${(line) => setLines([line])} onClose=${() => setLines([])} />`}`;
}

const Choosing = ({ lines, onChoose, onClose }) => html`<${Dialog} title=${t("fleet.link.which")} onClose=${onClose}>
  <ul role="list" class="fleet-list rows">${lines.map(
    (line) => html`<li key=${line.instance}><strong class="fleet-grow" dir="auto">${lineName(line)}</strong><${StateChip} state=${line.state}>${word("fleet.states", line.state)}<//>
      <${Button} small icon="link" label=${t("fleet.instances.link_of", { label: lineName(line), tenant: line.tenant })} onClick=${() => onChoose(line)}>${t("fleet.instances.link")}<//></li>`,
  )}</ul><//>`;
