import { html, useId, useLayoutEffect, useRef } from "../lib.js";
import { t } from "../i18n/index.js";
import { Button } from "./Button.js";

/**
 * A native modal <dialog>, which traps focus and closes on Escape. `kind` is "dialog", or "sheet" for one from the side (from
 * below on a phone). Render it to show it; on `onClose` the caller stops rendering it.
 */
export function Dialog({ kind = "dialog", title, onClose, foot, children, ...rest }) {
  const ref = useRef(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog.showModal();
    return () => dialog.close(); // returns the focus to where it came from
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${ref} class=${kind} aria-labelledby=${id} onCancel=${cancel} ...${rest}
    onClick=${(event) => event.target === ref.current && onClose()}>
    <header class="head"><h2 id=${id}>${title}</h2>
      <${Button} kind="quiet" icon="x" label=${t("shell.close")} onClick=${onClose} /></header>
    <div class="body">${children}</div>
    ${foot && html`<footer class="foot">${foot}</footer>`}
  </dialog>`;
}

export const Sheet = (props) => html`<${Dialog} kind="sheet" ...${props} />`;
