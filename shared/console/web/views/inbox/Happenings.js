// Show what happens at a time or in a conversation: events, calls, invitations, notices; and what can't be read.

import { html } from "../../lib.js";
import { formatLength, formatMoment } from "../../format.js";
import { straight } from "../../direction.js";
import { has, t } from "../../i18n/index.js";
import { Icon } from "../../ui/index.js";
import { Address } from "./Offers.js";
import { Facts, Place } from "./Pieces.js";
import { Words } from "./FormattedText.js";
import { authorName, kindWord } from "./words.js";

export function EventBody({ message }) {
  const { kind, text, event = {}, place } = message;
  const call = kind === "scheduled_call";
  return html`<p class="mark"><${Icon} name=${call ? (event.video ? "video" : "phone") : "calendar"} />${kindWord(kind)}${event.cancelled ? ` · ${t("inbox.event.cancelled")}` : ""}</p>
    ${event.name && html`<strong dir="auto">${event.cancelled ? html`<s>${event.name}</s>` : event.name}</strong>`}
    <${Facts} facts=${[
      [t("inbox.event.starts"), event.starts_at && formatMoment(event.starts_at)],
      [t("inbox.event.ends"), event.ends_at && formatMoment(event.ends_at)],
      [t("inbox.event.link"), event.link && html`<${Address} url=${event.link} />`],
    ]} />
    ${event.description && html`<${Words} text=${event.description} />`}
    ${place && html`<${Place} kind="location" place=${place} />`}${text && html`<${Words} text=${text} />`}`;
}

export function CallBody({ message }) {
  const { text, call = {} } = message;
  const word = t(`inbox.call.${call.outcome ?? "ringing"}`);
  const length = call.seconds ? ` · ${formatLength(call.seconds)}` : "";
  const icon = call.outcome === "missed" || call.outcome === "rejected" ? "phone-missed" : "phone-incoming";
  return html`<p class=${`piece call ${call.outcome ?? ""}`}><${Icon} name=${icon} /><span><strong>${word}</strong>
    <span class="small">${t(call.video ? "inbox.call.video" : "inbox.call.voice")}${call.group ? ` · ${t("inbox.group")}` : ""}${length}</span></span></p>${text && html`<${Words} text=${text} />`}`;
}

export function InviteBody({ message }) {
  const { text, invite = {} } = message;
  return html`<p class="mark"><${Icon} name="user-plus" />${t(`inbox.invite.${invite.target ?? "group"}`)}</p>
    ${invite.name && html`<strong dir="auto">${straight(invite.name)}</strong>`}${text && html`<${Words} text=${text} />`}
    ${invite.link && html`<p class="small"><${Address} url=${invite.link} /></p>`}
    ${invite.expires_at && html`<p class="small">${t("inbox.invite.until", { when: formatMoment(invite.expires_at) })}</p>`}`;
}

export function PackBody({ message }) {
  const { text, pack = {} } = message;
  return html`<div class="piece"><${Icon} name="sticker" /><div><strong dir="auto">${pack.name || kindWord("sticker_pack")}</strong>
    <p class="small" dir="auto">${[pack.publisher, pack.count && t("inbox.stickers", { n: pack.count })].filter(Boolean).join(" · ")}</p></div></div>
    ${pack.description && html`<${Words} text=${pack.description} />`}${text && html`<${Words} text=${text} />`}`;
}

export function AnswerBody({ message }) {
  const { text, answer } = message;
  return html`<p class="mark"><${Icon} name="sparkles" />${kindWord("rich_answer")}</p>${text && html`<${Words} text=${text} />`}
    ${(answer?.parts ?? []).map((part) => html`<${Part} part=${part} />`)}`;
}

function Part({ part }) {
  const { style, text, rows, url } = part;
  if (style === "code") return html`<pre class="code"><code>${text}</code></pre>`;
  if (style === "table")
    return html`${text && html`<p class="mark" dir="auto">${text}</p>`}<div class="scroll"><table>${rows?.map((row) => html`<tr>${row.split(" | ").map((cell) => html`<td dir="auto">${cell}</td>`)}</tr>`)}</table></div>`;
  return html`${text && html`<${Words} text=${text} />`}${url && html`<p class="small"><${Address} url=${url} /></p>`}`;
}

const NOTICE_ICONS = { pinned: "pin", unpinned: "pin", joined: "user-plus", added: "user-plus", left: "user", removed: "user" };

export function NoticeBody({ message }) {
  const { topic, members = [], more } = message.notice ?? {};
  const name = `inbox.notices.${topic}`;
  const others = members.filter((member) => member.key !== message.author?.key);
  return html`<p class="mark"><${Icon} name=${NOTICE_ICONS[topic] ?? "info"} />${has(name) ? t(name) : kindWord("notice")}</p>
    ${others.length > 0 && html`<p dir="auto">${others.map(authorName).join(", ")}${more ? ` ${t("inbox.noticeMore", { n: more })}` : ""}</p>`}
    ${message.text && html`<${Words} text=${message.text} />`}`;
}

export const WaitingBody = () => html`<div class="unsupported"><p><${Icon} name="hourglass" />${t("inbox.waiting")}</p></div>`;

export const UnsupportedBody = ({ message }) => html`<div class="unsupported"><p><${Icon} name="smartphone" />${t("inbox.unsupported")}</p>
  ${message.original && html`<p class="small">${t("inbox.original", { type: message.original })}</p>`}</div>${message.text && html`<${Words} text=${message.text} />`}`;

/** Show by which advertisement somebody came to write. */
export function Ad({ origin }) {
  return html`<div class="ad"><p class="mark"><${Icon} name="megaphone" />${t("inbox.ad.mark")}${origin.app ? ` · ${straight(origin.app)}` : ""}</p>
    ${origin.title && html`<strong dir="auto">${straight(origin.title)}</strong>`}${origin.body && html`<p class="small" dir="auto">${origin.body}</p>`}
    ${origin.url && html`<p class="small"><${Address} url=${origin.url} /></p>`}</div>`;
}

