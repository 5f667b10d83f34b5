import { html, signal } from "../lib.js";
import { t } from "../i18n/index.js";
import { Button } from "./Button.js";

const shown = signal([]);
let last = 0;

/** Says that something was done. `action` {label, run} is for undoing it, and makes it stay longer. */
export function toast(words, { action, seconds = action ? 10 : 5 } = {}) {
  const id = ++last;
  shown.value = [...shown.value, { id, words, action }].slice(-3);
  setTimeout(() => dismiss(id), seconds * 1000);
}

const dismiss = (id) => (shown.value = shown.value.filter((each) => each.id !== id));

/** The live region, always there: screen readers only hear what changes in one they know. */
export const Toasts = () => html`<div class="toasts" role="status" aria-live="polite">
  ${shown.value.map(
    ({ id, words, action }) => html`<div class="toast" key=${id}><span>${words}</span>
      ${action && html`<${Button} small onClick=${() => (dismiss(id), action.run())}>${action.label}<//>`}
      <${Button} small icon="x" label=${t("shell.close")} onClick=${() => dismiss(id)} /></div>`,
  )}
</div>`;
