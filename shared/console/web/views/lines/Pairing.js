// Show what to scan or type, the progress, and what to do when pairing fails.

import { html, useEffect, useId, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { formatNumber } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Icon, Notice, Skeleton, Tabs } from "../../ui/index.js";

const STEPS = ["code", "read", "open"];

/** Tell whether this is a phone, which can't scan a code on its own screen. */
const isPhone = () => matchMedia("(pointer: coarse) and (max-width: 46rem)").matches;

/** Show a pairing (from usePairing). `label` is the line's. */
export function Pairing({ pairing, label }) {
  const [tab, setTab] = useState(() => (isPhone() ? "code" : "qr"));
  const { step, error } = pairing;
  const failure = error && html`<${Notice} tone="bad">${sentence(error)} <${Button} small icon="refresh-cw" busy=${pairing.busy} onClick=${pairing.again}>${t("shell.tryAgain")}<//><//>`;
  if (failure && step === "wait") return html`<div class="pairing">${failure}</div>`;
  return html`<div class="pairing">
    <${Progress} step=${step} />
    ${failure}
    ${step === "open"
      ? html`<${Done} line=${pairing.line} label=${label} />`
      : step === "ended"
        ? html`<${Ended} pairing=${pairing} />`
        : step === "banned"
          ? html`<${Notice} tone="bad">${t("lines.pairing.banned")}<//>
              <${Button} kind="primary" icon="qr-code" busy=${pairing.busy} onClick=${pairing.again}>${t("lines.pairing.other")}<//>`
        : step === "conflict"
          ? html`<${Notice} tone="warn">${t("lines.pairing.conflict", { number: formatNumber(pairing.line.number) })}<//>
              ${pairing.other && html`<${Button} kind="primary" icon="qr-code" busy=${pairing.busy} onClick=${pairing.other}>${t("lines.pairing.other")}<//>`}`
          : html`<${Tabs} label=${t("lines.pairing.how")} chosen=${tab} onChoose=${setTab}
              tabs=${[
                { id: "qr", label: t("lines.pairing.scan"), panel: () => html`<${Scan} pairing=${pairing} />` },
                { id: "code", label: t("lines.pairing.type"), panel: () => html`<${Typed} pairing=${pairing} />` },
              ]} />
            <details class="passkey"><summary>${t("lines.pairing.passkey.title")}</summary><p>${t("lines.pairing.passkey.text")}</p></details>`}
  </div>`;
}

function Progress({ step }) {
  const at = { wait: 0, code: 0, ended: 0, conflict: 1, banned: 1, read: 1, open: 2 }[step];
  return html`<ol class="steps" role="list" aria-label=${t("lines.pairing.progress")}>
    ${STEPS.map((name, index) => {
      const done = index < at || step === "open";
      const now = index === at && !done && step !== "conflict" && step !== "banned";
      return html`<li class=${done ? "done" : now ? "now" : ""} aria-current=${now ? "step" : undefined}>
        <${Icon} name=${done ? "circle-check" : now ? "loader-circle" : "circle"} spin=${now} />${t(`lines.pairing.steps.${name}`)}
        ${done && html`<span class="unseen">${t("lines.pairing.done")}</span>`}</li>`;
    })}
  </ol><p class="unseen" role="status">${t(`lines.pairing.now.${step}`)}</p>`;
}

function Scan({ pairing }) {
  const { line, step, secondsLeft } = pairing;
  return html`<div class="scan">
    <div class="qr">${
      line?.code
        ? html`<img src=${line.code.png} alt=${t("lines.pairing.qr")} width="288" height="288" />`
        : html`<div class="waiting">${
            step === "read"
              ? html`<${Icon} name="loader-circle" spin /><span>${t("lines.pairing.reading")}</span>`
              : html`<${Skeleton} width="18rem" height="18rem" />`
          }</div>`
    }</div>
    <p class="renews muted small" aria-hidden="true">${line?.code ? t("lines.pairing.renews", { n: secondsLeft ?? 0 }) : html`<span> </span>`}</p>
    <ol class="how">${[1, 2, 3].map((n) => html`<li>${t(`lines.pairing.scanSteps.${n}`)}</li>`)}</ol>
  </div>`;
}

function Typed({ pairing }) {
  const [number, setNumber] = useState("");
  const [wrong, setWrong] = useState(false);
  const id = useId();
  const digits = number.replace(/\D/g, "");
  const whole = digits.length === 10 || digits.length === 11 ? `55${digits}` : digits;
  const ask = (event) => {
    event.preventDefault();
    const fits = /^[1-9]\d{9,14}$/.test(whole);
    setWrong(!fits);
    if (fits) pairing.type(whole);
  };
  const code = pairing.line?.code?.pairing_code;
  return html`<form class="typed" onSubmit=${ask}>
    <div class="field"><label for=${id}>${t("lines.pairing.number")}</label>
      <input id=${id} class="input" type="tel" inputmode="tel" autocomplete="tel" placeholder="(11) 98888-7777" value=${number}
        aria-invalid=${wrong ? "true" : undefined} aria-describedby=${`${id}-hint`} onInput=${(event) => setNumber(event.currentTarget.value)} />
      <span id=${`${id}-hint`} class=${wrong ? "wrong" : "hint"}>${wrong ? t("lines.pairing.numberWrong") : t("lines.pairing.numberHint")}</span></div>
    <${Button} kind=${code ? "" : "primary"} busy=${pairing.busy} onClick=${ask}>${code ? t("lines.pairing.another") : t("lines.pairing.ask")}<//>
    ${code && html`<${Code} code=${code} secondsLeft=${pairing.secondsLeft ?? 0} />
      <ol class="how">${[1, 2, 3].map((n) => html`<li>${t(`lines.pairing.typeSteps.${n}`)}</li>`)}</ol>`}
  </form>`;
}

/** Show the code to type, how long it lasts, and copy it: the page may be on the very phone that needs it. */
function Code({ code, secondsLeft }) {
  const [status, setStatus] = useState("");
  const copy = () =>
    navigator.clipboard.writeText(code).then(
      () => setStatus(t("lines.pairing.copied")),
      () => setStatus(t("lines.pairing.notCopied")),
    );
  useEffect(() => setStatus(""), [code]);
  return html`<output class="code" aria-label=${t("lines.pairing.yourCode")}>${code.slice(0, 4)}–${code.slice(4)}</output>
    <p class="copy"><${Button} icon="copy" onClick=${copy}>${t("lines.pairing.copy")}<//> <span class="muted small tabular" aria-hidden="true">${t("lines.pairing.lasts", { n: secondsLeft })}</span></p>
    <p role="status" class="small">${status}</p>`;
}

const Done = ({ line, label }) => html`<div class="state done"><${Icon} name="circle-check" />
  <h3>${t("lines.pairing.connected", { label })}</h3>
  ${line.number && html`<p>${formatNumber(line.number)}</p>`}</div>`;

const Ended = ({ pairing }) => html`<div class="state warn"><${Icon} name="timer" /><h3>${t("lines.pairing.ended.title")}</h3>
  <p>${t("lines.pairing.ended.text")}</p>
  <div class="actions"><${Button} kind="primary" icon="refresh-cw" busy=${pairing.busy} onClick=${pairing.again}>${t("lines.pairing.ended.again")}<//></div></div>`;
