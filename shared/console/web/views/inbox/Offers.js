// Show what a business offers to choose from, and what people chose or filled in.

import { html } from "../../lib.js";
import { formatNumber } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Icon } from "../../ui/index.js";
import { Document, Media } from "./Media.js";
import { Place } from "./Pieces.js";
import { Words } from "./FormattedText.js";
import { kindWord } from "./words.js";

const ACTIONS = { reply: "reply", link: "external-link", call: "phone", copy: "copy", form: "clipboard-list", location: "map-pin" };
const FILES = [[/^image\//, "image"], [/^video\//, "video"], [/^audio\//, "audio"]];

export function OfferBody({ message, conversation }) {
  const { text, offer, place } = message;
  return html`<div class="offer"><${Head} message=${message} conversation=${conversation} />
    ${place && html`<${Place} kind="location" place=${place} />`}
    ${offer?.title && html`<strong dir="auto">${offer.title}</strong>`}${offer?.subtitle && html`<p class="small" dir="auto">${offer.subtitle}</p>`}
    ${text && html`<${Words} text=${text} />`}
    ${offer?.footer && html`<p class="small" dir="auto">${offer.footer}</p>`}
    <${Buttons} buttons=${offer?.buttons} />
    ${offer?.sections?.length > 0 && html`<details class="sections"><summary><${Icon} name="list" />${offer.opens || kindWord("list")}</summary>
      ${offer.sections.map((section) => html`<${Section} section=${section} />`)}</details>`}
    ${offer?.slides?.length > 0 && html`<ol role="list" class="slides">${offer.slides.map((slide) => html`<${Slide} slide=${slide} />`)}</ol>`}
  </div>`;
}

/** Show the file at the head of a message that isn't itself a file. */
export function Head({ message, conversation }) {
  if (!message.media) return null;
  const kind = FILES.find(([type]) => type.test(message.media.mimetype ?? ""))?.[1] ?? (message.media.thumbnail ? "image" : "document");
  const file = { ...message, kind, text: null };
  return kind === "document" ? html`<${Document} message=${file} conversation=${conversation} />` : html`<${Media} message=${file} conversation=${conversation} />`;
}

export function Buttons({ buttons }) {
  if (!buttons?.length) return null;
  return html`<ul role="list" class="buttons">${buttons.map(
    ({ label, action, url, phone, copies }) => html`<li><${Icon} name=${ACTIONS[action] ?? "mouse-pointer-click"} /><span>
      <span dir="auto">${label || t(`inbox.actions.${action in ACTIONS ? action : "other"}`)}</span>
      ${url && html`<span class="small"><${Address} url=${url} /></span>`}${phone && html`<span class="small tabular">${formatNumber(phone)}</span>`}
      ${copies && html`<code class="small">${copies}</code>`}</span></li>`,
  )}</ul>`;
}

/** Show a web address as a link; whatever else it may be stays a text. */
export const Address = ({ url }) => (/^https?:\/\//i.test(url) ? html`<a href=${url} dir="auto" target="_blank" rel="noopener noreferrer nofollow">${url}</a>` : html`<span dir="auto">${url}</span>`);

const Section = ({ section }) => html`<div>${section.title && html`<p class="mark" dir="auto">${section.title}</p>`}<ul role="list" class="buttons">${section.rows?.map(
  (row) => html`<li><span><span dir="auto">${row.title}</span>${row.description && html`<span class="small" dir="auto">${row.description}</span>`}</span></li>`,
)}</ul></div>`;

const Slide = ({ slide }) => html`<li>${slide.title && html`<strong dir="auto">${slide.title}</strong>`}${slide.text && html`<${Words} text=${slide.text} />`}
  ${slide.footer && html`<p class="small" dir="auto">${slide.footer}</p>`}<${Buttons} buttons=${slide.buttons} /></li>`;

export function Choice({ message }) {
  const { kind, text, choice } = message;
  return html`<p class="mark"><${Icon} name=${kind === "list_reply" ? "list" : "mouse-pointer-click"} />${kindWord(kind)}</p>
    ${text && html`<${Words} text=${text} />`}${choice?.description && html`<p class="small" dir="auto">${choice.description}</p>`}`;
}

export function Form({ message }) {
  const answers = message.form?.answers ?? [];
  return html`<p class="mark"><${Icon} name="clipboard-list" />${kindWord("form_reply")}</p>
    ${answers.length > 0 && html`<dl class="facts">${answers.map((answer) => html`<div><dt dir="auto">${answer.label || answer.name}</dt><dd dir="auto">${answer.value}</dd></div>`)}</dl>`}`;
}
