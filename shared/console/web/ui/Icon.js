import { html } from "../lib.js";
import nodes from "../vendor/lucide-static/icons.js";

/** Show a Lucide icon by its name (infra/vendor.py lists them); decoration unless it has a label. */
export function Icon({ name, label, spin }) {
  const role = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return html`<svg class=${`icon${spin ? " spin" : ""}`} viewBox="0 0 24 24" ...${role}>
    ${(Object.hasOwn(nodes, name) ? nodes[name] : []).map(([Tag, attributes]) => html`<${Tag} ...${attributes} />`)}
  </svg>`;
}
