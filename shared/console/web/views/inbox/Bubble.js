// Show one message, with its delivery, edits and reactions.

import { html, useState } from "../../lib.js";
import { now } from "../../clock.js";
import { formatMoment, formatTime, hue } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Icon } from "../../ui/index.js";
import { Body } from "./Body.js";
import { Ad } from "./Happenings.js";
import { useLongPress } from "./Menu.js";
import { rightsOver } from "./rights.js";
import { authorName, summarize, kindIcon, kindWord } from "./words.js";

export function Bubble({ message, acts, messages, conversation, name, mute, tight }) {
  const { id, from_me: mine, author, revoked } = message;
  const rights = rightsOver(message, { mute, now: now() });
  const isOpen = Object.values(rights).some(Boolean);
  const press = useLongPress((anchor) => isOpen && acts.open(message, anchor));
  return html`<article class=${`message${mine ? " mine" : ""}${tight ? " tight" : ""}${revoked ? " revoked" : ""}`} data-id=${id} tabindex="-1" ...${press}>
    <div class="bubble">
      <span class="unseen">${mine ? t("inbox.you") : !author && name}</span>
      ${author && !mine && html`<p class=${`author hue-${hue(author.key)}${tight ? " unseen" : ""}`} dir="auto">${authorName(author)}</p>`}
      ${!revoked && message.forwarded && html`<p class="mark"><${Icon} name="forward" />${t("inbox.forwarded")}</p>`}
      ${!revoked && message.view_once && html`<p class="mark"><${Icon} name="eye" />${t("inbox.viewOnce")}</p>`}
      ${!revoked && message.in_reply_to_status && html`<p class="mark"><${Icon} name="reply" />${t("inbox.toStatus")}</p>`}
      ${!revoked && message.origin && html`<${Ad} origin=${message.origin} />`}
      ${!revoked && message.quoted && html`<${Quote} quoted=${message.quoted} acts=${acts} messages=${messages} conversation=${conversation} name=${name} />`}
      ${revoked ? html`<p class="gone"><${Icon} name="ban" />${t("inbox.revoked")}</p>` : html`<${Body} message=${message} conversation=${conversation} />`}
      <${Foot} message=${message} />
      <${Reactions} reactions=${message.reactions} />
    </div>
    ${isOpen && html`<${Bar} message=${message} rights=${rights} acts=${acts} />`}
  </article>`;
}

/** What is offered beside a message under the mouse or with the focus. */
function Bar({ message, rights, acts }) {
  const text = summarize(message).slice(0, 80);
  const open = (view) => (event) => acts.open(message, event.currentTarget, view);
  return html`<div class="acts">
    ${rights.react && html`<${Button} small kind="quiet" icon="face-slightly-smiling-plus" label=${t("conversation.reactTo", { text })} class="react" onClick=${open("emoji")} />`}
    ${rights.reply && html`<${Button} small kind="quiet" icon="reply" label=${t("inbox.replyTo", { text })} class="reply" onClick=${() => acts.reply(message)} />`}
    <${Button} small kind="quiet" icon="ellipsis" label=${t("conversation.menu", { text })} class="more" onClick=${open("menu")} />
  </div>`;
}

function Quote({ quoted, acts, messages, conversation, name }) {
  const loaded = messages.find(quoted.id);
  const text = loaded ? (loaded.revoked ? t("inbox.revoked") : quoted.preview || kindWord(loaded.kind)) : quoted.preview || (quoted.kind === "unsupported" ? t("inbox.earlier") : kindWord(quoted.kind));
  const who = loaded ? (loaded.from_me ? t("inbox.you") : loaded.author ? authorName(loaded.author) : name) : quoted.author === conversation?.contact.key ? name : "";
  const icon = quoted.kind !== "unsupported" && kindIcon(quoted.kind);
  const inside = html`${who && html`<strong dir="auto">${who}</strong>`}<span class="cut" dir="auto">${icon && html`<${Icon} name=${icon} />`}${text}</span>`;
  if (!loaded) return html`<blockquote class="quote">${inside}</blockquote>`;
  return html`<button type="button" class="quote" onClick=${() => acts.jump(quoted.id)}><span class="unseen">${t("inbox.jump")}</span>${inside}</button>`;
}

function Foot({ message }) {
  const [open, show] = useState(false);
  const { edited, history, at, from_me: mine } = message;
  return html`<p class="foot">
      ${edited &&
      (history.length
        ? html`<button type="button" class="edited" aria-expanded=${String(open)} onClick=${() => show(!open)}>${t("inbox.edited")}</button>`
        : html`<span>${t("inbox.edited")}</span>`)}
      <time datetime=${new Date(at).toISOString()} title=${formatMoment(at)}>${formatTime(at)}</time>
      ${mine && html`<${Tick} message=${message} />`}
    </p>
    ${message.edit_unreadable && html`<p class="small">${t("inbox.editedOnPhone")}</p>`}
    ${mine && (message.failed || message.unacknowledged) && html`<p class="trouble">${t(`inbox.delivery.${message.failed ? "failed" : "unacknowledged"}`)}</p>`}
    ${message.said && html`<p class="small muted">${t("inbox.send.said")}</p>`}
    ${message.left_through && html`<p class="trouble">${t("inbox.wrongNumber", { number: message.left_through })}</p>`}
    ${open && html`<div class="history"><p>${t("inbox.history")}</p><ol role="list">${history.map((text) => html`<li dir="auto">${text}</li>`)}</ol></div>`}`;
}

const TICKS = { pending: "clock", sent: "check", delivered: "check-check", read: "check-check", played: "check-check", failed: "circle-alert", unacknowledged: "clock" };

function Tick({ message }) {
  const how = message.failed ? "failed" : message.unacknowledged ? "unacknowledged" : message.delivery;
  if (!(how in TICKS)) return null;
  return html`<span class=${`tick ${how}`} title=${t(`inbox.delivery.${how}`)}><${Icon} name=${TICKS[how]} label=${t(`inbox.delivery.${how}`)} /></span>`;
}

function Reactions({ reactions }) {
  const counts = new Map();
  for (const emoji of Object.values(reactions ?? {})) if (emoji) counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
  if (!counts.size) return null;
  return html`<ul role="list" class="reactions">${[...counts].map(
    ([emoji, n]) => html`<li key=${emoji}><span aria-hidden="true">${emoji}${n > 1 && ` ${n}`}</span><span class="unseen">${t("inbox.reaction", { emoji, n })}</span></li>`,
  )}</ul>`;
}
