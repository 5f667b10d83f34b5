// Explain why the clean-up holds back, and let a person confirm that a loss is real.

import { html, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { Button, Dialog, Notice, toast } from "../../ui/index.js";
import { word } from "./words.js";

const SHRANK = new Set(["tenants_shrank", "census_shrank"]);
const DOUBTING = new Set(["many_unclaimed"]);

export function Brakes({ report: { brakes }, reload }) {
  const [confirming, setConfirming] = useState(false);
  const describe = (brake) => word("review.brakes", brake.why, { before: 0, now: 0, server: "", ...brake });
  if (!brakes.length) return null;
  const hard = brakes.some((brake) => !DOUBTING.has(brake.why));
  return html`<${Notice} tone="warn" icon="pause">
    <p><strong>${t(hard ? "review.brakes.title" : "review.brakes.doubt")}</strong></p>
    <ul class="fleet-notes">${brakes.map((brake) => html`<li>${describe(brake)}</li>`)}</ul>
    ${reload && brakes.some((brake) => SHRANK.has(brake.why)) && html`<${Button} onClick=${() => setConfirming(true)}>${t("review.brakes.accept")}<//>`}
    ${confirming && html`<${Accept} brakes=${brakes.filter((brake) => SHRANK.has(brake.why))} describe=${describe} onClose=${() => setConfirming(false)} />`}
  <//>`;
}

function Accept({ brakes, describe, onClose }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const accept = async () => {
    setBusy(true);
    setError(null);
    try {
      await api.post("fleet/sweeps/orphans/accept-loss");
      toast(t("review.brakes.accept_done"));
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//><${Button} kind="danger" busy=${busy} onClick=${accept}>${t("review.brakes.accept")}<//>`;
  return html`<${Dialog} title=${t("review.brakes.accept_title")} onClose=${onClose} foot=${foot}>
    <ul class="fleet-notes">${brakes.map((brake) => html`<li>${describe(brake)}</li>`)}</ul>
    <p>${t("review.brakes.accept_text")}</p>
    ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
  <//>`;
}
