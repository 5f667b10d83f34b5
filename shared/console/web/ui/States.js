import { html } from "../lib.js";
import { sentence, worthRetrying } from "../api.js";
import { brand } from "../config.js";
import { has, t } from "../i18n/index.js";
import { Button } from "./Button.js";
import { Icon } from "./Icon.js";

/** Show that there is nothing yet, and what to do about it: `children` are the actions. */
export function EmptyState({ icon = "inbox", title, text, tone = "", level = 2, children }) {
  return html`<div class=${`state ${tone}`}>
    <${Icon} name=${icon} /><${`h${level}`}>${title}<//>${text && html`<p>${text}</p>`}
    ${children && html`<div class="actions">${children}</div>`}
  </div>`;
}

/** Describe a failure, with a retry if that may help. The shell shows an expired session. Who was shut out is told by whom. */
export function ErrorState({ error, onRetry, title = t("shell.failed") }) {
  const shut = `shell.shut.${error.problem}`;
  if (error.problem && has(shut)) return html`<${EmptyState} tone="warn" icon="lock" title=${t(`${shut}.title`)} text=${t(`${shut}.text`, { who: brand().isOurs ? t("shell.shut.support") : brand().name })} />`;
  return html`<div class="state bad" role="alert">
    <${Icon} name="triangle-alert" /><h2>${title}</h2><p>${sentence(error)}</p>
    ${onRetry && worthRetrying(error) && html`<div class="actions"><${Button} icon="refresh-cw" onClick=${onRetry}>${t("shell.tryAgain")}<//></div>`}
  </div>`;
}

const NOTICE_ICONS = { good: "circle-check", warn: "triangle-alert", bad: "circle-alert" };

/** Show a notice beside what it is about. tone: "good", "warn", "bad" or none. */
export function Notice({ tone = "", icon, children }) {
  return html`<div class=${`notice ${tone}`} role=${tone === "bad" ? "alert" : undefined}>
    <${Icon} name=${icon ?? NOTICE_ICONS[tone] ?? "info"} /><div>${children}</div>
  </div>`;
}

/** Reserve the space of content that is loading, so that nothing jumps. Sizes are CSS lengths. */
export const Skeleton = ({ width = "100%", height = "1em" }) =>
  html`<span class="skeleton" style=${{ width, height }} aria-hidden="true"></span>`;

/** Show `rows` skeletons, and one sentence for screen readers. */
export const SkeletonRows = ({ rows = 6, height = "3rem" }) => html`<div role="status">
  <span class="unseen">${t("shell.loading")}</span>
  ${Array.from({ length: rows }, () => html`<p style=${{ paddingBlock: ".375rem" }}><${Skeleton} height=${height} /></p>`)}
</div>`;
