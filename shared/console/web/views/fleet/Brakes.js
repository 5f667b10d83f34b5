// Why the clean-up holds back, and a person's word that a loss is real.

import { html, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { Button, Dialog, Notice, toast } from "../../ui/index.js";
import { word } from "./words.js";

const SHRANK = new Set(["tenants_shrank", "census_shrank"]);
const DOUBTING = new Set(["many_unclaimed"]);

export function Brakes({ report: { brakes }, reload }) {
  const [asked, ask] = useState(false);
  const said = (brake) => word("review.brakes", brake.why, { before: 0, now: 0, server: "", ...brake });
  if (!brakes.length) return null;
  const hard = brakes.some((brake) => !DOUBTING.has(brake.why));
  return html`<${Notice} tone="warn" icon="pause">
    <p><strong>${t(hard ? "review.brakes.title" : "review.brakes.doubt")}</strong></p>
    <ul class="fleet-notes">${brakes.map((brake) => html`<li>${said(brake)}</li>`)}</ul>
    ${reload && brakes.some((brake) => SHRANK.has(brake.why)) && html`<${Button} onClick=${() => ask(true)}>${t("review.brakes.accept")}<//>`}
    ${asked && html`<${Accept} brakes=${brakes.filter((brake) => SHRANK.has(brake.why))} said=${said} onClose=${() => ask(false)} />`}
  <//>`;
}

function Accept({ brakes, said, onClose }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const accept = async () => {
    setBusy(true);
    setError(null);
    try {
      await api.post("fleet/sweeps/orphans/accept-loss");
      toast(t("review.brakes.accept_done"));
      onClose();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//><${Button} kind="danger" busy=${busy} onClick=${accept}>${t("review.brakes.accept")}<//>`;
  return html`<${Dialog} title=${t("review.brakes.accept_title")} onClose=${onClose} foot=${foot}>
    <ul class="fleet-notes">${brakes.map((brake) => html`<li>${said(brake)}</li>`)}</ul>
    <p>${t("review.brakes.accept_text")}</p>
    ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
  <//>`;
}
