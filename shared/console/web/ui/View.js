import { html, useEffect, useRef } from "../lib.js";
import { tellTab } from "../title.js";

/** Frame a view: heading, actions, content. `full` hides the heading and gives all the room to `children`. */
export function View({ title, actions, full, children }) {
  const heading = useRef(null);
  useEffect(() => {
    tellTab({ name: title });
  }, [title]);
  return html`<div class=${`view${full ? " full" : ""}`}>
    ${full
      ? html`<h1 class="unseen" ref=${heading} tabindex="-1">${title}</h1>`
      : html`<header class="view-head"><h1 ref=${heading} tabindex="-1">${title}</h1>${actions && html`<div class="actions">${actions}</div>`}</header>`}
    ${children}
  </div>`;
}
