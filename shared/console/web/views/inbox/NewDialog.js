// Begin a conversation: a number, the line that writes to it, and the first message; WhatsApp says whether it exists.

import { html, useId, useRef, useState } from "../../lib.js";
import { ApiError, api, sentence } from "../../api.js";
import { formatNumber, lineName } from "../../format.js";
import { has, t } from "../../i18n/index.js";
import { Button, Dialog, Notice, Select } from "../../ui/index.js";

const LONGEST = 65_536;
const SEND_MS = 100_000;
const LOOK_MS = 2_000;
const MOST_LOOKS = 15;

/** Read a number as people write it, with Brazil's code where there is none; null if it can be none. */
export function readNumber(text) {
  const digits = text.replace(/\D/g, "");
  const whole = !text.trim().startsWith("+") && (digits.length === 10 || digits.length === 11) ? `55${digits}` : digits;
  return /^[1-9]\d{7,14}$/.test(whole) ? whole : null;
}

/** `onCreated` gets the id of the conversation that the message was sent into. */
export function NewDialog({ lines = [], onCreated, onClose }) {
  const able = lines.filter((line) => line.state === "open" && !line.restricted_since);
  const [number, setNumber] = useState("");
  const [line, setLine] = useState(able[0]?.line);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const attempt = useRef({});
  const [numberField, textField] = [useId(), useId()];
  const to = readNumber(number);
  const isWrong = error?.problem === "not-on-whatsapp";

  const send = async () => {
    if (!to || !text.trim() || busy) return;
    setBusy(true);
    setError(null);
    const body = { to, line, text: text.trim() };
    if (JSON.stringify(body) !== attempt.current.body) attempt.current = { body: JSON.stringify(body), key: crypto.randomUUID() };
    try {
      onCreated(await sendOnce(body, attempt.current.key));
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const missing = !able.length ? t("inbox.create.noLine") : !to ? t("inbox.create.numberFirst") : !text.trim() ? t("inbox.composer.nothing") : false;
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//>
    <${Button} kind="primary" icon="send" busy=${busy} disabled=${missing} onClick=${send}>${t("inbox.composer.send")}<//>`;
  return html`<${Dialog} title=${t("inbox.create.title")} onClose=${onClose} foot=${foot}>
    ${!able.length && html`<${Notice} tone="warn">${t("inbox.create.noLine")}<//>`}
    <form class="field" onSubmit=${(event) => (event.preventDefault(), send())}>
      <label for=${numberField}>${t("inbox.create.number")}</label>
      <input id=${numberField} class="input" type="tel" inputmode="tel" autocomplete="off" maxlength="30" placeholder="(11) 98888-7777" value=${number}
        aria-invalid=${isWrong ? "true" : undefined} aria-describedby=${`${numberField}-hint`} onInput=${(event) => setNumber(event.currentTarget.value)} />
      <span id=${`${numberField}-hint`} class="hint">${to ? t("inbox.create.writesTo", { number: formatNumber(to) }) : t("inbox.create.numberHint")}</span>
      ${able.length > 1 && html`<${Select} label=${t("inbox.line")} visible value=${line} onChange=${setLine}
        options=${able.map((one) => [one.line, [lineName(one), formatNumber(one.number)].filter(Boolean).join(" · ")])} />`}
      <label for=${textField}>${t("inbox.create.text")}</label>
      <textarea id=${textField} class="input" rows="3" maxlength=${LONGEST} dir="auto" value=${text} onInput=${(event) => setText(event.currentTarget.value)}></textarea>
      ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
    </form>
  <//>`;
}

/** Send, and wait until it is known what became of it; resolves to the conversation. The same key never sends twice. */
async function sendOnce(body, key) {
  let answer = await api.post("send-message", body, { key, timeout: SEND_MS });
  for (let look = 0; answer.status === 202 && !answer.data.conversation && look < MOST_LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    answer = await api.get(`send-message/${key}`);
  }
  const { state, why, conversation } = answer.data;
  if (state === "failed") throw new ApiError("problem", { title: t(`inbox.send.why.${has(`inbox.send.why.${why}`) ? why : "invalid"}`) });
  return conversation;
}
