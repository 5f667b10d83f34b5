import { html, signal } from "../lib.js";
import { t } from "../i18n/index.js";
import { Button } from "./Button.js";

const toasts = signal([]);
let last = 0;

/**
 * Show a message for a few seconds. `action` {label, run} is for undoing, and makes it stay longer. `about` names what it is
 * about: an earlier toast about the same goes, since what it offered is over; without words nothing takes its place.
 */
export function toast(words, { action, about, seconds = action ? 10 : 5 } = {}) {
  const id = ++last;
  const others = toasts.value.filter((item) => about === undefined || item.about !== about);
  toasts.value = words ? [...others, { id, words, action, about }].slice(-3) : others;
  setTimeout(() => dismiss(id), seconds * 1000);
}

const dismiss = (id) => (toasts.value = toasts.value.filter((item) => item.id !== id));

/** The live region. It is always rendered: screen readers only announce changes of a region they have seen. */
export const Toasts = () => html`<div class="toasts" role="status" aria-live="polite">
  ${toasts.value.map(
    ({ id, words, action }) => html`<div class="toast" key=${id}><span>${words}</span>
      ${action && html`<${Button} small onClick=${() => (dismiss(id), action.run())}>${action.label}<//>`}
      <${Button} small icon="x" label=${t("shell.close")} onClick=${() => dismiss(id)} /></div>`,
  )}
</div>`;
