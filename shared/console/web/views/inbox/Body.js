// Show the content of a message of any kind. Everything in it was written by people, and is rendered as text only.

import { html } from "../../lib.js";
import { straight } from "../../direction.js";
import { formatNumber } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Icon } from "../../ui/index.js";
import { Document, Media } from "./Media.js";
import { kindWord } from "./words.js";

const ADDRESS = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}])/;

export function Body({ message, conversation }) {
  const caption = message.text && html`<${Words} text=${message.text} />`;
  switch (message.kind) {
    case "text":
    case "button_reply":
    case "list_reply":
      return caption || html`<p class="muted">${kindWord(message.kind)}</p>`;
    case "image":
    case "video":
    case "audio":
    case "voice":
    case "sticker":
      return html`<${Media} message=${message} conversation=${conversation} />${caption}`;
    case "document":
      return html`<${Document} message=${message} conversation=${conversation} />${caption}`;
    case "location":
    case "live_location":
      return html`<${Place} kind=${message.kind} place=${message.place} />${caption}`;
    case "contacts":
      return html`<${Cards} cards=${message.cards} />${caption}`;
    case "poll":
      return html`<${Poll} poll=${message.poll} text=${message.text} />`;
    default:
      return html`<div class="unsupported"><p><${Icon} name="smartphone" />${t("inbox.unsupported")}</p>
        ${message.original && html`<p class="small">${t("inbox.original", { type: message.original })}</p>`}</div>${caption}`;
  }
}

/** Show a text with its line breaks, and with its web addresses as links. */
export const Words = ({ text }) => html`<p class="words" dir="auto">${text
  .split(ADDRESS)
  .map((part, at) => (at % 2 ? html`<a href=${part} dir="auto" target="_blank" rel="noopener noreferrer nofollow">${part}</a>` : part))}</p>`;

function Place({ kind, place }) {
  const words = [place?.name, place?.address].filter(Boolean).join(" · ");
  if (!place) return html`<p class="piece"><${Icon} name="map-pin" />${kindWord(kind)}</p>`;
  const at = `${place.latitude},${place.longitude}`;
  return html`<div class="piece"><${Icon} name="map-pin" /><div><strong dir="auto">${words || kindWord(kind)}</strong>
    <p class="small"><a class="tabular" href=${`geo:${at}`}>${at}</a></p></div></div>`;
}

const Cards = ({ cards }) => html`<ul role="list" class="cards">${cards.map(
  (card) => html`<li class="piece"><${Icon} name="contact-round" /><div><strong dir="auto">${straight(card.name)}</strong>
    ${card.numbers.map((number) => html`<p class="small tabular">${formatNumber(number)}</p>`)}</div></li>`,
)}</ul>`;

function Poll({ poll, text }) {
  if (!poll) return html`<p class="piece"><${Icon} name="chart-line" />${text || kindWord("poll")}</p>`;
  const n = poll.selectable ?? 0;
  return html`<div class="poll"><p class="mark"><${Icon} name="chart-line" />${kindWord("poll")} · ${n === 1 ? t("inbox.poll.one") : n ? t("inbox.poll.some", { n }) : t("inbox.poll.any")}</p>
    <strong dir="auto">${poll.question}</strong>
    <ul role="list">${poll.options.map((option) => html`<li dir="auto">${option}</li>`)}</ul></div>`;
}
