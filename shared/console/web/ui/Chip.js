import { html } from "../lib.js";
import { formatNumber, hue, lineName } from "../format.js";
import { Icon } from "./Icon.js";

/** tone: "good", "busy", "warn", "bad" or none. The words say it; the colour only repeats it. */
export function Chip({ tone = "", icon, dot, title, children }) {
  return html`<span class=${`chip ${tone}`} title=${title}>
    ${dot && html`<span class="dot" aria-hidden="true"></span>`}${icon && html`<${Icon} name=${icon} />`}<span class="cut">${children}</span>
  </span>`;
}

/** What a connection state looks like; the view says it in words. */
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

/** Through which number: the same colour everywhere for one line. `line` decides it; `label`, if given, is its name. */
export function NumberChip({ line, label, number, short }) {
  const shown = number ? formatNumber(number) : "";
  const name = label && lineName({ line, label });
  return html`<span class=${`chip number-chip hue-${hue(line)}`} title=${[name, shown].filter(Boolean).join(" · ")}>
    <span class="dot" aria-hidden="true"></span>
    <span class="cut">${name && html`<bdi>${name}</bdi>`}${name && shown && !short && " · "}${!(name && short) && shown}</span>
  </span>`;
}
