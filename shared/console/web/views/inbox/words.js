// Name message kinds, contacts, and the reasons why a line can't send.

import { straight } from "../../direction.js";
import { formatNumber } from "../../format.js";
import { has, t } from "../../i18n/index.js";

const ICONS = {
  image: "image",
  video: "video",
  audio: "headphones",
  voice: "mic",
  document: "file-text",
  sticker: "sticker",
  location: "map-pin",
  live_location: "map-pin",
  contacts: "contact-round",
  poll: "chart-line",
  buttons: "mouse-pointer-click",
  list: "list",
  button_reply: "mouse-pointer-click",
  list_reply: "list",
  form_reply: "clipboard-list",
  product: "package",
  order: "shopping-cart",
  payment: "banknote",
  event: "calendar",
  scheduled_call: "calendar",
  call: "phone",
  invite: "user-plus",
  sticker_pack: "sticker",
  rich_answer: "sparkles",
  notice: "info",
  waiting: "hourglass",
  unsupported: "circle-alert",
};

export const kindIcon = (kind) => ICONS[kind];
export const kindWord = (kind) => (has(`inbox.kinds.${kind}`) ? t(`inbox.kinds.${kind}`) : t("inbox.kinds.unsupported"));

/** Name a contact: by name, else by number, else as unknown. */
export const contactName = ({ name, number, group }) => straight(name) || (number && formatNumber(number)) || t(group ? "inbox.group" : "inbox.unknown");
export const authorName = (author) => straight(author?.name) || (author?.number && formatNumber(author.number)) || t("inbox.unknown");

const titleOf = ({ poll, offer, product, order, event, invite, pack }) =>
  poll?.question || offer?.title || product?.title || order?.title || event?.name || invite?.name || pack?.name;

/** Summarise a message in one line, for screen readers. */
export const summarize = (message) => (message.revoked ? t("inbox.revoked") : message.text || titleOf(message) || kindWord(message.kind));

/** Tell why the line can't send into this conversation, as a word, or null. `lines` is undefined until they are loaded. */
export function muteReason(conversation, lines) {
  if (!lines) return null;
  const line = lines.find((candidate) => candidate.line === conversation.line);
  if (!line || line.state === "releasing") return "released";
  if (line.state === "conflict") return "conflict";
  if (line.number && line.number !== conversation.number) return "changed";
  if (line.state !== "open") return "closed";
  return null;
}
