import { html, signal } from "../lib.js";
import { formatAgo, formatMoment } from "../format.js";

const now = signal(Date.now());
setInterval(() => document.visibilityState === "visible" && (now.value = Date.now()), 15_000);

/** How long ago, in words; the moment itself on hover. One clock for all of them. */
export function Age({ at }) {
  if (!at) return null;
  return html`<time datetime=${at} title=${formatMoment(at)}>${formatAgo(at, Math.max(now.value, 0))}</time>`;
}
