import { html, signal } from "../lib.js";
import { now } from "../clock.js";
import { formatAgo, formatMoment } from "../format.js";

const tick = signal(0);
setInterval(() => document.visibilityState === "visible" && tick.value++, 15_000);

/** Show how long ago something was; the moment itself on hover. All ages share one timer. */
export function Age({ at }) {
  if (!at) return null;
  return html`<time datetime=${at} title=${formatMoment(at)}>${formatAgo(at, tick.value >= 0 && now())}</time>`;
}
