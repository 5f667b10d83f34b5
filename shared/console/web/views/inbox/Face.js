// Show a contact as a letter, or as what it is.

import { html } from "../../lib.js";
import { Icon } from "../../ui/index.js";

export function Face({ contact }) {
  const letter = !contact.group && contact.name && /\p{L}/u.exec(contact.name)?.[0];
  return html`<span class="face" aria-hidden="true">${letter ? letter.toLocaleUpperCase() : html`<${Icon} name=${contact.group ? "users" : "user"} />`}</span>`;
}
