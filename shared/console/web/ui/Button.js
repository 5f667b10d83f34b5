import { html } from "../lib.js";
import { Link } from "../router.js";
import { t } from "../i18n/index.js";
import { Icon } from "./Icon.js";

/**
 * A button or link. kind: "primary", "danger", "quiet" or none. `busy`: its action is running. `label` is needed where only
 * an icon is shown. With `to` it is a link within the console, with `href` one to elsewhere. `disabled` takes the reason:
 * it stays focusable, and says why.
 */
export function Button({ kind = "", icon, label, busy, small, wide, disabled, to, href, children, onClick, class: more = "", ...rest }) {
  const square = !children && icon;
  const classes = ["button", kind, small && "small", square && "square", wide && "wide", more].filter(Boolean).join(" ");
  const inside = html`${busy ? html`<${Icon} name="loader-circle" spin />` : icon && html`<${Icon} name=${icon} />`}${children}`;
  const labels = label ? { "aria-label": label, title: square ? label : undefined } : {};
  if (to) return html`<${Link} to=${to} class=${classes} ...${labels} ...${rest}>${inside}<//>`;
  if (href) return html`<a href=${href} class=${classes} ...${labels} ...${rest}>${inside}</a>`;
  const off = Boolean(disabled) || busy;
  return html`<button type="button" class=${classes} aria-disabled=${off ? "true" : undefined} aria-busy=${busy ? "true" : undefined}
    title=${typeof disabled === "string" ? disabled : undefined} ...${labels} ...${rest}
    onClick=${(event) => (off ? event.preventDefault() : onClick?.(event))}>
    ${inside}${busy && html`<span class="unseen">${t("shell.busy")}</span>`}
  </button>`;
}
