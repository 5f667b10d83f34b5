// Show the page before a person signs in: the sign-in, or why there is none.

import { html, useEffect, useState } from "../lib.js";
import { brand } from "../config.js";
import { t } from "../i18n/index.js";
import { session, signIn } from "../session.js";
import { tellTab } from "../title.js";
import { Button, EmptyState, Icon, Notice } from "../ui/index.js";
import { Languages, Themes } from "./Account.js";

const mark = new URL("../mark.svg", import.meta.url).href;

/** Fill the page, with one thing in its middle, in the agency's colour. */
export function Door({ title, children }) {
  const { color, ink } = brand();
  useEffect(() => {
    tellTab({ name: title, unread: 0, fallen: 0 });
  }, [title]);
  return html`<main class=${`door${color ? " branded" : ""}`} style=${color ? { "--door": color, "--on-door": ink } : undefined}>${children}<footer><${Languages} /><${Themes} /></footer></main>`;
}

/** Show the agency's logo, else ours. */
export const Logo = () => html`<img class="logo" src=${brand().logo ?? mark} alt="" width="52" height="52" />`;

export const SignIn = () => html`<${Door} title=${t("shell.door.title")}>
  <div class="state"><${Logo} /><h1>${brand().name}</h1><p>${t("shell.door.text")}</p>
    ${session.value.state === "failed" && html`<${Notice} tone="bad">${refusal(session.value.error)}<//>`}
    <${Enter}>${t("shell.door.enter")}<//>
  </div>
<//>`;

/** Ask for a new sign-in in place of the view, whose address stays. */
export const Expired = () => html`<div class="state warn" role="alert"><${Icon} name="lock" />
  <h1>${t("shell.expired.title")}</h1><p>${t("shell.expired.text")}</p><${Enter}>${t("shell.expired.enter")}<//>
</div>`;

export const Unconfigured = () => html`<${Door} title=${t("shell.unconfigured.title")}>
  <div class="state warn"><${Icon} name="wrench" /><h1>${t("shell.unconfigured.title")}</h1><p>${t("shell.unconfigured.text")}</p>
    <ul class="names">${session.value.missing.map((name) => html`<li><code>${name}</code></li>`)}</ul>
  </div>
<//>`;

export const Unreachable = ({ onRetry }) => html`<${Door} title=${t("shell.unreachable.title")}>
  <${EmptyState} level=${1} icon="server-off" tone="bad" title=${t("shell.unreachable.title")} text=${t("shell.unreachable.text")}>
    <${Button} kind="primary" icon="refresh-cw" onClick=${onRetry}>${t("shell.tryAgain")}<//>
  <//>
<//>`;

function Enter({ children }) {
  const [state, setState] = useState("");
  const enter = () => {
    setState("busy");
    signIn().catch(() => setState("failed"));
  };
  return html`<div class="actions"><${Button} kind="primary" icon="log-in" busy=${state === "busy"} onClick=${enter}>${children}<//></div>
    ${state === "failed" && html`<${Notice} tone="bad">${t("shell.door.issuer")}<//>`}`;
}

/** Explain a refused sign-in: one sentence for a denial, another for the rest. */
const refusal = (error) => (error === "access_denied" ? t("shell.door.denied") : t("shell.door.failed", { error }));
