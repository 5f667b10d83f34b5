// Show a message that is being sent, at once, with its state.

import { html, useEffect, useState } from "../../lib.js";
import { straight } from "../../direction.js";
import { formatBytes, formatTime } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Icon } from "../../ui/index.js";
import { Words } from "./Pieces.js";
import { retry, dropAttempt } from "./outbox.js";
import { kindIcon, kindWord } from "./words.js";

const DOUBTFUL_MS = 60_000;

export function Attempt({ attempt }) {
  const { key, state, text, kind, file, body, error, at } = attempt;
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), Math.max(0, at + DOUBTFUL_MS - Date.now()));
    return () => clearTimeout(timer);
  }, [at]);
  const failed = state === "failed";
  return html`<article class=${`message mine attempt ${state}`} data-key=${key}>
    <div class="bubble">
      <span class="unseen">${t("inbox.you")}</span>
      ${file && html`<p class="piece"><${Icon} name=${kindIcon(kind)} /><span><strong dir="auto">${straight(file.name) || kindWord(kind)}</strong><span class="small">${kindWord(kind)} · ${formatBytes(file.size)}</span></span></p>`}
      ${text && html`<${Words} text=${text} />`}
      <p class="foot" role="status">
        ${failed ? html`<${Icon} name="circle-alert" />` : html`<${Icon} name=${state === "waiting" ? "timer" : "clock"} />`}
        <span>${failed ? t("shell.failed") : t(`inbox.send.${state}`)}</span><time>${formatTime(at)}</time>
      </p>
      ${failed && html`<p class="trouble" role="alert">${error}${!body && ` ${t("inbox.send.lost")}`}</p>`}
      ${state === "confirming" && late && html`<p class="trouble">${t("inbox.send.doubtful")}</p>`}
      ${failed &&
      html`<p class="actions">${body && html`<${Button} small icon="refresh-cw" onClick=${() => retry(key)}>${t("inbox.send.again")}<//>`}
        <${Button} small kind="quiet" onClick=${() => dropAttempt(key)}>${t("inbox.send.discard")}<//></p>`}
    </div>
  </article>`;
}
