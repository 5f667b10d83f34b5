import { html, signal } from "../lib.js";
import { now } from "../clock.js";
import { formatAgo, formatMoment } from "../format.js";

const turn = signal(0);
setInterval(() => document.visibilityState === "visible" && turn.value++, 15_000);

/** How long ago, in words; the moment itself on hover. One clock for all of them. */
export function Age({ at }) {
  if (!at) return null;
  return html`<time datetime=${at} title=${formatMoment(at)}>${formatAgo(at, turn.value >= 0 && now())}</time>`;
}
