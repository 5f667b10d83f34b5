// What a message, or the reason why one can't write, is called.

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
  unsupported: "circle-alert",
};

export const kindIcon = (kind) => ICONS[kind];
export const kindWord = (kind) => (has(`inbox.kinds.${kind}`) ? t(`inbox.kinds.${kind}`) : t("inbox.kinds.unsupported"));

/** Who the other side is: a name, else a number, else that nobody knows. */
export const called = ({ name, number, group }) => straight(name) || (number && formatNumber(number)) || t(group ? "inbox.group" : "inbox.unknown");
export const authorName = (author) => straight(author?.name) || (author?.number && formatNumber(author.number)) || t("inbox.unknown");

/** A message in one line, for those who hear it. */
export const inShort = (message) => (message.revoked ? t("inbox.revoked") : message.text || message.poll?.question || kindWord(message.kind));

/** Why the line can't say anything in this conversation, as a word, or null. `lines` is undefined until they are known. */
export function whyMute(conversation, lines) {
  if (!lines) return null;
  const line = lines.find((each) => each.line === conversation.line);
  if (!line || line.state === "releasing") return "released";
  if (line.state === "conflict") return "conflict";
  if (line.number && line.number !== conversation.number) return "changed";
  if (line.state !== "open") return "closed";
  return null;
}
