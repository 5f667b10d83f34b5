// Name the page in its tab: what is shown, how much is unread, and that a line fell.

import { brand } from "./config.js";
import { effect, signal } from "./lib.js";

const MOST = 99;

/** What the tab says: the page's name, unread conversations, and fallen lines. */
const facts = signal({ name: "", unread: 0, fallen: 0 });

/** Change what the tab says: {name}, {unread} or {fallen}. */
export const tellTab = (news) => (facts.value = { ...facts.peek(), ...news });

/** Write a count for a small place: "7", "99+". */
export const shortCount = (n) => (n > MOST ? `${MOST}+` : String(n));

/** Compose the title of the tab: "⚠ (3) Conversas · Perene". */
export function composeTitle({ name, unread, fallen }, { name: whose } = brand()) {
  const marks = [fallen ? "⚠" : "", unread ? `(${shortCount(unread)})` : ""];
  return [...marks, [name, whose].filter(Boolean).join(" · ")].filter(Boolean).join(" ");
}

effect(() => {
  document.title = composeTitle(facts.value);
  const icon = document.querySelector("link[rel=icon]");
  const href = new URL(facts.value.unread ? "mark-unread.svg" : "mark.svg", import.meta.url).href;
  if (icon && icon.href !== href) icon.href = href;
});
