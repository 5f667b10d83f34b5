// Show a message that is being sent, at once, with its state, and a way out where its outcome stays unknown.

import { html, useEffect, useMemo, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { now } from "../../clock.js";
import { straight } from "../../direction.js";
import { formatBytes, formatTime } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Icon } from "../../ui/index.js";
import { dropAttempt, isRepeatable, retry, settle } from "./outbox.js";
import { kindIcon, kindWord } from "./words.js";
import { Words } from "./FormattedText.js";

/** From then on a person may say what became of it; until then the request may still be running. */
const DOUBTFUL_MS = 2 * 60_000;
const ICONS = { failed: "circle-alert", waiting: "timer", offline: "wifi-off" };

export function Attempt({ attempt }) {
  const { key, state, text, kind, file, blob, error, at } = attempt;
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), Math.max(0, at + DOUBTFUL_MS - now()));
    return () => clearTimeout(timer);
  }, [at]);
  const failed = state === "failed";
  const repeatable = isRepeatable(attempt);
  return html`<article class=${`message mine attempt ${state}`} data-key=${key} tabindex="-1">
    <div class="bubble">
      <span class="unseen">${t("inbox.you")}</span>
      ${blob && kind === "image" ? html`<${Preview} blob=${blob} />` : file && html`<p class="piece"><${Icon} name=${kindIcon(kind)} /><span><strong dir="auto">${straight(file.name) || kindWord(kind)}</strong><span class="small">${kindWord(kind)} · ${formatBytes(file.size)}</span></span></p>`}
      ${text && html`<${Words} text=${text} />`}
      <p class="foot" role="status">
        <${Icon} name=${ICONS[state] ?? "clock"} /><span>${failed ? t("shell.failed") : t(`inbox.send.${state}`)}</span><time>${formatTime(at)}</time>
      </p>
      ${failed && html`<p class="trouble" role="alert">${error}${!repeatable && file && ` ${t("inbox.send.lost")}`}</p>`}
      ${state === "confirming" && late && html`<${WayOut} attempt=${attempt} />`}
      ${failed &&
      html`<p class="actions">${repeatable && html`<${Button} small icon="refresh-cw" onClick=${() => retry(key)}>${t("inbox.send.again")}<//>`}
        <${Button} small kind="quiet" onClick=${() => dropAttempt(key)}>${t("inbox.send.discard")}<//></p>`}
      ${state === "offline" && html`<p class="actions"><${Button} small kind="quiet" onClick=${() => dropAttempt(key)}>${t("inbox.send.discard")}<//></p>`}
    </div>
  </article>`;
}

/** Let a person who looked at the phone say what became of it. */
function WayOut({ attempt }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const say = async (sent) => {
    setBusy(true);
    setError(null);
    try {
      await settle(attempt.key, sent);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return html`<p class="trouble">${t("inbox.send.doubtful")}</p>
    <p class="actions"><${Button} small busy=${busy} icon="check" onClick=${() => say(true)}>${t("inbox.send.wasSent")}<//>
      <${Button} small busy=${busy} icon="x" onClick=${() => say(false)}>${t("inbox.send.wasNot")}<//></p>
    ${error && html`<p class="trouble" role="alert">${sentence(error)}</p>`}`;
}

function Preview({ blob }) {
  const url = useMemo(() => URL.createObjectURL(blob), [blob]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return html`<div class="media image preview"><img class="whole" src=${url} alt=${kindWord("image")} /></div>`;
}
