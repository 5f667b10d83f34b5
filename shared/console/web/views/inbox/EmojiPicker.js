// Choose an emoji: those used last, then all by group.

import { html, useState } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { recall, remember } from "../../memory.js";
import { GROUPS } from "./emoji.js";

const NAME = "emoji";
const REMEMBERED = 16;

/** Remember an emoji as the one used last. */
export function noteEmoji(emoji) {
  remember(NAME, [emoji, ...recallEmoji().filter((other) => other !== emoji)].slice(0, REMEMBERED));
}

const recallEmoji = () => {
  const stored = recall(NAME);
  return Array.isArray(stored) ? stored.filter((emoji) => typeof emoji === "string") : [];
};

export function EmojiPicker({ onPick }) {
  const [last] = useState(recallEmoji);
  const groups = Object.entries(last.length ? { last, ...GROUPS } : GROUPS);
  const pick = (emoji) => {
    noteEmoji(emoji);
    onPick(emoji);
  };
  return html`<div class="emoji">${groups.map(
    ([name, list]) => html`<section aria-label=${t(`conversation.emoji.${name}`)}><h3>${t(`conversation.emoji.${name}`)}</h3>
      <div>${list.map((emoji) => html`<button type="button" onClick=${() => pick(emoji)}>${emoji}</button>`)}</div></section>`,
  )}</div>`;
}
