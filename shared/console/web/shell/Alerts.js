// Ask once whether to tell of new messages, and let that be changed.

import { html, signal, useState } from "../lib.js";
import { alerts, chime, chooseAlerts, enableDesktop, permission } from "../alerts.js";
import { lineName } from "../format.js";
import { t } from "../i18n/index.js";
import { lines } from "../lines.js";
import { Button, Dialog, Icon, Notice } from "../ui/index.js";

/** Whether the person is choosing; the shell shows the dialog. */
export const isChoosing = signal(false);

/** Ask once, where conversations are read. */
export function AlertsQuestion() {
  if (alerts.value.asked || permission() === null || permission() === "denied" || !lines.value.data?.lines.length) return null;
  const accept = async () => {
    chooseAlerts({ sound: true });
    await enableDesktop();
  };
  return html`<div class="banner calm"><${Icon} name="bell" /><span>${t("shell.alerts.question")}</span>
    <div class="actions"><${Button} small onClick=${accept}>${t("shell.alerts.accept")}<//>
      <${Button} small kind="quiet" onClick=${() => chooseAlerts({ desktop: false, sound: false })}>${t("shell.alerts.decline")}<//></div></div>`;
}

/** Choose notifications, the sound, and the lines that stay silent. */
export function AlertsDialog() {
  const onClose = () => (isChoosing.value = false);
  const [refused, refuse] = useState(permission() === "denied");
  const { desktop, sound, muted } = alerts.value;
  const named = lines.value.data?.lines ?? [];
  const setDesktop = async (on) => {
    if (!on) return chooseAlerts({ desktop: false });
    refuse(!(await enableDesktop()));
  };
  const setSound = (on) => {
    chooseAlerts({ sound: on });
    chime();
  };
  const setLine = (line, on) => chooseAlerts({ muted: on ? muted.filter((other) => other !== line) : [...muted, line] });
  return html`<${Dialog} title=${t("shell.alerts.title")} onClose=${onClose} foot=${html`<${Button} kind="primary" onClick=${onClose}>${t("shell.link.done")}<//>`}>
    <div class="checks">
      <p class="muted">${t("shell.alerts.text")}</p>
      ${permission() !== null && html`<${Check} on=${desktop} onChange=${setDesktop}>${t("shell.alerts.desktop")}<//>`}
      ${refused && html`<${Notice} tone="warn">${t("shell.alerts.refused")}<//>`}
      <${Check} on=${sound} onChange=${setSound}>${t("shell.alerts.sound")}<//>
      ${named.length > 1 && html`<fieldset class="checks"><legend>${t("shell.alerts.lines")}</legend>
        ${named.map((line) => html`<${Check} key=${line.line} on=${!muted.includes(line.line)} onChange=${(on) => setLine(line.line, on)}><bdi>${lineName(line)}</bdi><//>`)}</fieldset>`}
    </div>
  <//>`;
}

const Check = ({ on, onChange, children }) => html`<label class="check">
  <input type="checkbox" checked=${on} onChange=${(event) => onChange(event.currentTarget.checked)} /><span>${children}</span></label>`;
