import { html, useEffect, useId, useState } from "../lib.js";
import { Icon } from "./Icon.js";

/** Show the filters of a list, and how many rows they leave (`count`, announced to screen readers). */
export const Toolbar = ({ label, count, children }) => html`<div class="toolbar" role="search" aria-label=${label}>
  ${children}<span class="count" role="status">${count}</span>
</div>`;

/** Call `onInput` with the text once the person pauses typing. */
export function Search({ label, value, onInput, delay = 200, ...rest }) {
  const [text, setText] = useState(value ?? "");
  useEffect(() => setText(value ?? ""), [value]);
  useEffect(() => {
    if (text === (value ?? "")) return undefined;
    const timer = setTimeout(() => onInput(text), delay);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<div class="input-icon grow"><${Icon} name="search" />
    <input type="search" class="input" aria-label=${label} placeholder=${label} value=${text} ...${rest}
      onInput=${(event) => setText(event.currentTarget.value)} /></div>`;
}

/** Show a select; options: [[value, label]]. */
export function Select({ label, value, options, onChange, visible }) {
  const id = useId();
  return html`<div class="field">
    <label for=${id} class=${visible ? "" : "unseen"}>${label}</label>
    <select id=${id} class="input" value=${value} onChange=${(event) => onChange(event.currentTarget.value)}>
      ${options.map(([key, text]) => html`<option value=${key} selected=${key === value}>${text}</option>`)}
    </select>
  </div>`;
}
