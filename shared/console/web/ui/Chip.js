import { html } from "../lib.js";
import { formatNumber, lineName } from "../format.js";
import { hueOf } from "../lines.js";
import { Icon } from "./Icon.js";

/** Show a short status. tone: "good", "busy", "warn", "bad" or none; the colour only repeats the words. */
export function Chip({ tone = "", icon, dot, title, children }) {
  return html`<span class=${`chip ${tone}`} title=${title}>
    ${dot && html`<span class="dot" aria-hidden="true"></span>`}${icon && html`<${Icon} name=${icon} />`}<span class="cut">${children}</span>
  </span>`;
}

/** The tone of every connection state; the view names the state in words. */
export const STATE_TONES = {
  creating: "busy",
  pairing: "busy",
  open: "good",
  closed: "bad",
  conflict: "warn",
  missing: "bad",
  releasing: "busy",
};

export const StateChip = ({ state, children }) => html`<${Chip} tone=${STATE_TONES[state]} dot>${children}<//>`;

/**
 * Show a line's number: the line's name, if `label` is given, may be cut, the number never is. `line` chooses the colour of a
 * thin mark that tells lines apart; without it there is none.
 */
export function NumberChip({ line, label, number }) {
  const formatted = number ? formatNumber(number) : "";
  const name = label && lineName({ line, label });
  return html`<span class=${`number-chip${line ? ` hue-${hueOf(line)}` : ""}`} title=${[name, formatted].filter(Boolean).join(" · ")}>
    ${line && html`<span class="tint" aria-hidden="true"></span>`}
    ${name && html`<bdi class="cut">${name}</bdi>`}${name && formatted && html`<span aria-hidden="true">${" · "}</span>`}${formatted && html`<span class="nowrap">${formatted}</span>`}
  </span>`;
}
