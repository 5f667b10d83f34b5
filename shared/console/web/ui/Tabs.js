import { html, useId, useRef } from "../lib.js";

/** Show tabs: [{id, label, panel: () => vnode}]. Arrow keys move; `chosen` and `onChoose` are the caller's (or its address's). */
export function Tabs({ tabs, chosen, onChoose, label }) {
  const base = useId();
  const list = useRef(null);
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = (tabs.findIndex((tab) => tab.id === chosen) + step + tabs.length) % tabs.length;
    onChoose(tabs[at].id);
    list.current.children[at].focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} ref=${list} onKeyDown=${move}>
      ${tabs.map(
        (tab) => html`<button type="button" role="tab" class="tab" id=${`${base}-${tab.id}`} aria-selected=${String(tab.id === chosen)}
          aria-controls=${`${base}-panel`} tabindex=${tab.id === chosen ? 0 : -1} onClick=${() => onChoose(tab.id)}>${tab.label}</button>`,
      )}
    </div>
    <div role="tabpanel" id=${`${base}-panel`} aria-labelledby=${`${base}-${chosen}`} tabindex="0">
      ${tabs.find((tab) => tab.id === chosen)?.panel()}
    </div>`;
}

/** Offer a choice among a few options, side by side: [{id, label, icon?}]. */
export const Choice = ({ label, options, chosen, onChoose }) => html`<div class="choice" role="group" aria-label=${label}>
  ${options.map(
    (option) => html`<button type="button" aria-pressed=${String(option.id === chosen)} onClick=${() => onChoose(option.id)}>${option.label}</button>`,
  )}
</div>`;
