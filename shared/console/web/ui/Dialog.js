import { html, useId, useLayoutEffect, useRef } from "../lib.js";
import { t } from "../i18n/index.js";
import { Button } from "./Button.js";

const FIELD = ".body :is(input:not([type=file], [readonly]), select, textarea)";
const MAIN = ".foot .button:is(.primary, .danger)";
const LINE_OF_TEXT = "input:not([type=checkbox], [type=radio], [type=file])";

/**
 * A native modal <dialog>, which traps focus and closes on Escape. It begins at its first field (unless `calm`), else at its primary button;
 * Enter in a field presses the main button of `foot`. `kind` is "dialog", or "sheet" for one from the side (from below on a
 * phone). Render it to show it; on `onClose` the caller stops rendering it.
 */
export function Dialog({ kind = "dialog", title, onClose, foot, calm, children, ...rest }) {
  const ref = useRef(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog.showModal();
    ((!calm && dialog.querySelector(FIELD)) || dialog.querySelector(".foot .button.primary"))?.focus();
    return () => dialog.close(); // returns the focus to where it came from
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  const pressMain = (event) => {
    const main = ref.current.querySelector(MAIN);
    if (!main || event.key !== "Enter" || event.isComposing || !event.target.matches(LINE_OF_TEXT)) return;
    event.preventDefault();
    main.click();
  };
  return html`<dialog ref=${ref} class=${kind} aria-labelledby=${id} onCancel=${cancel} onKeyDown=${pressMain} ...${rest}
    onClick=${(event) => event.target === ref.current && onClose()}>
    <header class="head"><h2 id=${id}>${title}</h2>
      <${Button} kind="quiet" icon="x" label=${t("shell.close")} onClick=${onClose} /></header>
    <div class="body">${children}</div>
    ${foot && html`<footer class="foot">${foot}</footer>`}
  </dialog>`;
}

export const Sheet = (props) => html`<${Dialog} kind="sheet" ...${props} />`;
