// Show one conversation in the list: who, when, what was said last, and through which number.

import { html, useRef } from "../../lib.js";
import { formatCompact, formatMoment, initials } from "../../format.js";
import { t } from "../../i18n/index.js";
import { recall } from "../../memory.js";
import { Link } from "../../router.js";
import { shortCount } from "../../title.js";
import { Chip, Icon, NumberChip } from "../../ui/index.js";
import { draftName } from "./Composer.js";
import { Face } from "./Face.js";
import { contactName, kindIcon, kindWord, muteReason } from "./words.js";

const LONG_PRESS_MS = 500;
/** Labels that have room beside the line, and without it. */
const [SOME, MORE] = [1, 2];

/** `selected` is null while nothing is being selected. A long press, or a click on the face, selects. */
export function Row({ conversation, at, count, top, size, lines, chosen, isRead, tabbed, query, selected, onToggle }) {
  const { id, contact, last, last_at: lastAt, labels = [], assignee } = conversation;
  const unread = isRead ? 0 : conversation.unread;
  const mute = muteReason(conversation, lines);
  const name = contactName(contact);
  const via = viaOf(conversation, lines);
  const press = useLongPress(() => selected === null && onToggle(id));
  const isSelecting = selected !== null;
  const shown = via ? SOME : MORE;
  const click = (event) => {
    if (!isSelecting && !press.wasLong()) return;
    event.preventDefault();
    if (isSelecting && !press.wasLong()) onToggle(id);
  };
  return html`<li data-id=${id} data-at=${at} aria-setsize=${count} aria-posinset=${at + 1} style=${{ transform: `translateY(${top}px)`, height: `${size}px` }}>
    <${Link} to=${`/${encodeURIComponent(id)}${query && `?${query}`}`} class=${`row${unread ? " unread" : ""}${selected ? " selected" : ""}`} aria-current=${chosen ? "true" : undefined}
      tabindex=${tabbed ? 0 : -1} onClick=${click} ...${press.handlers}>
      <${Face} contact=${contact} />
      <span class="name cut" dir="auto">${name}</span>
      <time datetime=${new Date(lastAt).toISOString()} title=${formatMoment(lastAt)}>${formatCompact(lastAt)}</time>
      <span class="last cut" dir="auto"><${Last} id=${id} last=${last} chosen=${chosen} /></span>
      ${unread > 0 && html`<span class="badge"><span aria-hidden="true">${shortCount(unread)}</span><span class="unseen">${t("inbox.unread", { n: unread })}</span></span>`}
      <span class="via">${mute && mute !== "released" && html`<${Icon} name=${mute === "changed" ? "lock" : "unplug"} label=${t(`inbox.marks.${mute}`)} />`}
        ${via && html`<${NumberChip} ...${via} />`}
        ${labels.slice(0, shown).map((label) => html`<${Chip}><bdi>${label}</bdi><//>`)}${labels.length > shown && html`<span class="muted nowrap" title=${labels.slice(shown).join(", ")}>+${labels.length - shown}</span>`}
        ${assignee && html`<span class="assignee" title=${t("inbox.assignedTo", { name: assignee })}><span aria-hidden="true">${initials(assignee)}</span><span class="unseen">${t("inbox.assignedTo", { name: assignee })}</span></span>`}</span>
    <//>
    <label class="pick"><input type="checkbox" tabindex="-1" checked=${Boolean(selected)} aria-label=${t("inbox.select.one", { name })} onChange=${() => onToggle(id)} /></label>
  </li>`;
}

/** Return what tells through which number a conversation runs, or null where every one runs through the same. */
export function viaOf({ line, label, number }, lines) {
  if (!lines) return null;
  if (lines.length > 1) return { line, label, number };
  return lines[0] && (lines[0].line !== line || (lines[0].number && lines[0].number !== number)) ? { label, number } : null;
}

function Last({ id, last, chosen }) {
  const draft = !chosen && recall(draftName(id))?.text;
  if (draft) return html`<em class="draft">${t("inbox.composer.draft")}</em><bdi>${draft}</bdi>`;
  if (!last) return "…";
  const icon = last.revoked ? "ban" : kindIcon(last.kind);
  const words = last.revoked ? t("inbox.revoked") : last.text || kindWord(last.kind);
  return html`${last.from_me && t("inbox.me")}${icon && html`<${Icon} name=${icon} label=${last.text && !last.revoked ? kindWord(last.kind) : undefined} />`}${last.from_me ? html`<bdi>${words}</bdi>` : words}`;
}

/** Tell a long press of a finger from a click: {handlers, wasLong()}. */
function useLongPress(act) {
  const state = useRef({ timer: 0, isLong: false });
  const end = () => clearTimeout(state.current.timer);
  const begin = (event) => {
    state.current.isLong = false;
    if (event.pointerType === "mouse") return;
    state.current.timer = setTimeout(() => {
      state.current.isLong = true;
      act();
    }, LONG_PRESS_MS);
  };
  const refuseMenu = (event) => state.current.isLong && event.preventDefault();
  const handlers = { onPointerDown: begin, onPointerUp: end, onPointerCancel: end, onPointerLeave: end, onContextMenu: refuseMenu };
  return { handlers, wasLong: () => state.current.isLong };
}
