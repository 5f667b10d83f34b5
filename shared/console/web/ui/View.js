import { html, useEffect, useRef } from "../lib.js";

/** A view's frame: heading, actions, content. `full` gives all the room to `children`, heading unseen. */
export function View({ title, actions, full, children }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${title} · Perene`;
  }, [title]);
  return html`<div class=${`view${full ? " full" : ""}`}>
    ${full
      ? html`<h1 class="unseen" ref=${heading} tabindex="-1">${title}</h1>`
      : html`<header class="view-head"><h1 ref=${heading} tabindex="-1">${title}</h1>${actions && html`<div class="actions">${actions}</div>`}</header>`}
    ${children}
  </div>`;
}
