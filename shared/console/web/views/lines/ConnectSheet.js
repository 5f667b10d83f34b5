// Show the sheet in which a line is connected.

import { html, useEffect, useMemo } from "../../lib.js";
import { api } from "../../api.js";
import { lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Sheet } from "../../ui/index.js";
import { disconnect } from "./changes.js";
import { Pairing } from "./Pairing.js";
import { usePairing } from "./pairing.js";

const CLOSES_MS = 2_500;

/** Connect a line; the sheet closes itself afterwards. `label` names a line that doesn't exist yet. */
export function ConnectSheet({ line, label, onClose, onChange }) {
  const source = useMemo(
    () => ({
      ensure: async (number) => (await api.post("ensure-instance", { line, ...(label ? { label } : {}), ...(number ? { number } : {}) })).data,
      look: async () => (await api.get(`instances/${line}`)).data,
      clear: () => disconnect(line),
    }),
    [line, label],
  );
  const pairing = usePairing(source);
  useEffect(() => {
    onChange();
    if (pairing.step !== "open") return undefined;
    const timer = setTimeout(onClose, CLOSES_MS);
    return () => clearTimeout(timer);
  }, [pairing.step]);
  const name = lineName({ line, label: pairing.line?.label ?? label });
  return html`<${Sheet} title=${t("lines.connectTitle", { label: name })} onClose=${onClose}>
    <${Pairing} pairing=${pairing} label=${name} />
  <//>`;
}
