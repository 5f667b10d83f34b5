import { html, useEffect, useId, useState } from "../lib.js";
import { Icon } from "./Icon.js";

/** Above a table or a list: filters, and how much they leave (`count`, said to screen readers when it changes). */
export const Toolbar = ({ label, count, children }) => html`<div class="toolbar" role="search" aria-label=${label}>
  ${children}<span class="count" role="status">${count}</span>
</div>`;

/** Tells `onInput` what was typed, once the person pauses. */
export function Search({ label, value, onInput, delay = 200, ...rest }) {
  const [typed, type] = useState(value ?? "");
  useEffect(() => type(value ?? ""), [value]);
  useEffect(() => {
    if (typed === (value ?? "")) return undefined;
    const timer = setTimeout(() => onInput(typed), delay);
    return () => clearTimeout(timer);
  }, [typed]);
  return html`<div class="input-icon grow"><${Icon} name="search" />
    <input type="search" class="input" aria-label=${label} placeholder=${label} value=${typed} ...${rest}
      onInput=${(event) => type(event.currentTarget.value)} /></div>`;
}

/** options: [[value, label]]. */
export function Select({ label, value, options, onChange, visible }) {
  const id = useId();
  return html`<div class="field">
    <label for=${id} class=${visible ? "" : "unseen"}>${label}</label>
    <select id=${id} class="input" value=${value} onChange=${(event) => onChange(event.currentTarget.value)}>
      ${options.map(([each, shown]) => html`<option value=${each} selected=${each === value}>${shown}</option>`)}
    </select>
  </div>`;
}
