// Show a text with its line breaks, formatted as WhatsApp does it, and with its web addresses as links.

import { html } from "../../lib.js";
import { parseText } from "./formatting.js";

const TAGS = { bold: "strong", italic: "em", struck: "s" };

export const Words = ({ text }) => html`<p class="words" dir="auto">${parseText(text).map(show)}</p>`;

function show(part) {
  if (typeof part === "string") return part;
  const { style, text, parts } = part;
  if (style === "link") return html`<a href=${text} dir="auto" target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
  if (style === "code" || style === "block") return html`<code class=${style}>${text}</code>`;
  return html`<${TAGS[style]}>${parts.map(show)}<//>`;
}
