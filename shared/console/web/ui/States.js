import { html } from "../lib.js";
import { sentence, worthRetrying } from "../api.js";
import { t } from "../i18n/index.js";
import { Button } from "./Button.js";
import { Icon } from "./Icon.js";

/** Nothing there (yet), and what to do about it: `children` are the actions. */
export function EmptyState({ icon = "inbox", title, text, tone = "", level = 2, children }) {
  return html`<div class=${`state ${tone}`}>
    <${Icon} name=${icon} /><${`h${level}`}>${title}<//>${text && html`<p>${text}</p>`}
    ${children && html`<div class="actions">${children}</div>`}
  </div>`;
}

/** What failed in words, and again if that may help. An expired session is the shell's to show. */
export function ErrorState({ error, onRetry, title = t("shell.failed") }) {
  return html`<div class="state bad" role="alert">
    <${Icon} name="triangle-alert" /><h2>${title}</h2><p>${sentence(error)}</p>
    ${onRetry && worthRetrying(error) && html`<div class="actions"><${Button} icon="refresh-cw" onClick=${onRetry}>${t("shell.tryAgain")}<//></div>`}
  </div>`;
}

const NOTICE_ICONS = { good: "circle-check", warn: "triangle-alert", bad: "circle-alert" };

/** Something to know, where it matters. tone: "good", "warn", "bad" or none. */
export function Notice({ tone = "", icon, children }) {
  return html`<div class=${`notice ${tone}`} role=${tone === "bad" ? "alert" : undefined}>
    <${Icon} name=${icon ?? NOTICE_ICONS[tone] ?? "info"} /><div>${children}</div>
  </div>`;
}

/** A place for what is coming, as large as it will be, so that nothing jumps. Sizes are CSS lengths. */
export const Skeleton = ({ width = "100%", height = "1em" }) =>
  html`<span class="skeleton" style=${{ width, height }} aria-hidden="true"></span>`;

/** `rows` of them, and one sentence for those who don't see them. */
export const SkeletonRows = ({ rows = 6, height = "3rem" }) => html`<div role="status">
  <span class="unseen">${t("shell.loading")}</span>
  ${Array.from({ length: rows }, () => html`<p style=${{ paddingBlock: ".375rem" }}><${Skeleton} height=${height} /></p>`)}
</div>`;
