// Show the content of a message of any kind. Everything in it was written by people, and is rendered as text only.

import { html } from "../../lib.js";
import { straight } from "../../direction.js";
import { formatCount, formatNumber } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Icon } from "../../ui/index.js";
import { AnswerBody, CallBody, EventBody, InviteBody, NoticeBody, PackBody, UnsupportedBody, WaitingBody } from "./Happenings.js";
import { Document, Media } from "./Media.js";
import { Choice, Form, OfferBody } from "./Offers.js";
import { Place } from "./Pieces.js";
import { Order, Payment, Product } from "./Trade.js";
import { Words } from "./FormattedText.js";
import { kindWord } from "./words.js";

/** The component of every kind; each shows the message's text too. */
export const BODIES = {
  text: TextBody,
  image: FileBody,
  video: FileBody,
  audio: FileBody,
  voice: FileBody,
  sticker: FileBody,
  document: FileBody,
  location: PlaceBody,
  live_location: PlaceBody,
  contacts: CardsBody,
  poll: PollBody,
  buttons: OfferBody,
  list: OfferBody,
  button_reply: Choice,
  list_reply: Choice,
  form_reply: Form,
  product: Product,
  order: Order,
  payment: Payment,
  event: EventBody,
  scheduled_call: EventBody,
  call: CallBody,
  invite: InviteBody,
  sticker_pack: PackBody,
  rich_answer: AnswerBody,
  notice: NoticeBody,
  waiting: WaitingBody,
  unsupported: UnsupportedBody,
};

export const Body = ({ message, conversation }) => html`<${BODIES[message.kind] ?? UnsupportedBody} message=${message} conversation=${conversation} />`;

const Caption = ({ text }) => text && html`<${Words} text=${text} />`;

function TextBody({ message }) {
  return message.text ? html`<${Words} text=${message.text} />` : html`<p class="muted">${message.said ? t("inbox.send.file") : kindWord("text")}</p>`;
}

function FileBody({ message, conversation }) {
  const File = message.kind === "document" ? Document : Media;
  return html`<${File} message=${message} conversation=${conversation} /><${Caption} text=${message.text} />`;
}

function PlaceBody({ message }) {
  return html`<${Place} kind=${message.kind} place=${message.place} /><${Caption} text=${message.text} />`;
}

function CardsBody({ message }) {
  return html`<ul role="list" class="cards">${message.cards?.map(
    (card) => html`<li class="piece"><${Icon} name="contact-round" /><div><strong dir="auto">${straight(card.name)}</strong>
      ${card.numbers.map((number) => html`<p class="small tabular">${formatNumber(number)}</p>`)}</div></li>`,
  )}</ul><${Caption} text=${message.text} />`;
}

function PollBody({ message }) {
  const { poll, text } = message;
  if (!poll) return html`<p class="piece"><${Icon} name="chart-line" />${text || kindWord("poll")}</p>`;
  const n = poll.selectable ?? 0;
  const counts = new Map((poll.results ?? []).map(({ option, count }) => [option, count]));
  const rule = counts.size ? t("inbox.poll.results") : n === 1 ? t("inbox.poll.one") : n ? t("inbox.poll.some", { n }) : t("inbox.poll.any");
  return html`<div class="poll"><p class="mark"><${Icon} name="chart-line" />${kindWord("poll")} · ${rule}</p>
    <strong dir="auto">${poll.question}</strong>
    <ul role="list">${poll.options.map((option) => html`<li><span dir="auto">${option}</span>${counts.has(option) && html`<span class="tabular">${formatCount(counts.get(option))}</span>`}</li>`)}</ul></div>`;
}
