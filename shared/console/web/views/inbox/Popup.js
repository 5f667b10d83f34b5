// Show a small surface beside what opened it; on a phone, from below.

import { html, useLayoutEffect, useRef } from "../../lib.js";

const GAP = 6;
const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/**
 * A native popover, which closes on Escape and on a press elsewhere, and then returns the focus to `anchor`. Arrow keys move
 * through its buttons. Render it to show it; on `onClose` the caller stops rendering it.
 */
export function Popup({ anchor, label, onClose, children, class: more = "" }) {
  const surface = useRef(null);
  useLayoutEffect(() => {
    const { current: box } = surface;
    box.showPopover();
    place(box, anchor.getBoundingClientRect());
    (box.querySelector("[data-first]") ?? box.querySelector("button, input"))?.focus();
    return () => {
      const isInside = box.contains(document.activeElement);
      if (box.matches(":popover-open")) box.hidePopover();
      if (isInside && anchor.isConnected) anchor.focus({ preventScroll: true });
    };
  }, [anchor]);
  const toggled = (event) => event.newState === "closed" && event.currentTarget.isConnected && onClose();
  const press = (event) => {
    if (event.key === "Escape") event.stopPropagation(); // closes this, not what is behind it
    const step = STEPS[event.key];
    const buttons = [...surface.current.querySelectorAll("button")];
    const to = step && buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    if (!to || event.target.matches("input")) return;
    event.preventDefault();
    event.stopPropagation();
    to.focus();
  };
  return html`<div ref=${surface} popover="auto" class=${`popup ${more}`} role="dialog" aria-label=${label} onToggle=${toggled} onKeyDown=${press}>${children}</div>`;
}

/** Put the box above or below the anchor, wherever there is room, within the window. */
function place(box, anchor) {
  const { width, height } = box.getBoundingClientRect();
  const above = anchor.top - GAP - height;
  const top = above > GAP ? above : Math.min(anchor.bottom + GAP, innerHeight - height - GAP);
  const left = Math.min(Math.max(GAP, anchor.left + anchor.width / 2 - width / 2), innerWidth - width - GAP);
  box.style.setProperty("--top", `${Math.max(GAP, top)}px`);
  box.style.setProperty("--left", `${left}px`);
}
