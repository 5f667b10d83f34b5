// Offer what can be done with a message: react, reply, copy, edit, delete.

import { html, useEffect, useRef, useState } from "../../lib.js";
import { now } from "../../clock.js";
import { t } from "../../i18n/index.js";
import { Button, Dialog, Icon, Notice } from "../../ui/index.js";
import { sentence } from "../../api.js";
import { REACTIONS } from "./emoji.js";
import { EmojiPicker } from "./EmojiPicker.js";
import { Popup } from "./Popup.js";
import { rightsOver } from "./rights.js";
import { summarize } from "./words.js";

const LONG_MS = 450;
const STILL_PX = 10;

/** Show the menu of a message. `opened`: {message, anchor, view}; view is "menu" or "emoji". `acts` are what it does. */
export function Menu({ opened, mute, acts, onClose }) {
  const [view, setView] = useState(opened.view);
  const { message, anchor } = opened;
  const rights = rightsOver(message, { mute, now: now() });
  const mine = message.reactions?.me;
  const run = (act) => () => {
    onClose();
    act(message);
  };
  const react = (emoji) => run(() => acts.react(message, emoji === mine ? "" : emoji))();
  if (view === "emoji") return html`<${Popup} key="emoji" anchor=${anchor} label=${t("conversation.react")} onClose=${onClose}><${EmojiPicker} onPick=${react} /><//>`;
  const item = (is, icon, name, act) => is && html`<button type="button" class="item" onClick=${run(act)}><${Icon} name=${icon} />${t(name)}</button>`;
  return html`<${Popup} key="menu" anchor=${anchor} label=${t("conversation.menu", { text: summarize(message).slice(0, 80) })} onClose=${onClose} class="menu">
    ${rights.react &&
    html`<div class="reacts" role="group" aria-label=${t("conversation.react")}>${REACTIONS.map(
        (emoji) => html`<button type="button" aria-pressed=${String(emoji === mine)} onClick=${() => react(emoji)}>${emoji}</button>`,
      )}<${Button} kind="quiet" icon="plus" label=${t("conversation.reactOther")} onClick=${() => setView("emoji")} /></div>`}
    ${rights.react && mine && !REACTIONS.includes(mine) && html`<button type="button" class="item" onClick=${() => react(mine)}><${Icon} name="x" />${t("conversation.unreact", { emoji: mine })}</button>`}
    ${item(rights.reply, "reply", "inbox.reply", acts.reply)}
    ${item(rights.copy, "copy", "conversation.copy", acts.copy)}
    ${item(rights.edit, "pen", "conversation.edit", acts.edit)}
    ${item(rights.remove, "trash", "conversation.remove.title", acts.remove)}
  <//>`;
}

/** Ask whether a message is to be deleted for everybody; `onRemove` is awaited. */
export function RemoveDialog({ message, onRemove, onClose }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const remove = async () => {
    setBusy(true);
    setError(null);
    try {
      await onRemove(message);
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//><${Button} kind="danger" icon="trash" busy=${busy} onClick=${remove}>${t("conversation.remove.act")}<//>`;
  return html`<${Dialog} title=${t("conversation.remove.title")} onClose=${onClose} foot=${foot}>
    <div class="field"><p>${t("conversation.remove.text")}</p><blockquote class="quote"><span class="cut" dir="auto">${summarize(message)}</span></blockquote>
      ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}</div>
  <//>`;
}

/** Return handlers for an element that call `open(element)` after a long press of a finger, on Enter, or on the menu key. */
export function useLongPress(open) {
  const press = useRef({ timer: 0, x: 0, y: 0, isLong: false });
  const stop = () => clearTimeout(press.current.timer);
  useEffect(() => stop, []);
  /** Open it once the finger is lifted: a press that ends outside of a popover closes it. */
  const lift = ({ currentTarget }) => {
    stop();
    if (press.current.isLong) setTimeout(() => open(currentTarget));
  };
  return {
    onPointerDown: ({ pointerType, clientX: x, clientY: y, target }) => {
      stop();
      press.current = { x, y, timer: 0, isLong: false };
      if (pointerType !== "touch" || target.closest("input, video")) return;
      press.current.timer = setTimeout(() => {
        press.current.isLong = true;
        navigator.vibrate?.(10);
      }, LONG_MS);
    },
    onPointerMove: ({ clientX, clientY }) => Math.hypot(clientX - press.current.x, clientY - press.current.y) > STILL_PX && stop(),
    onPointerUp: lift,
    onPointerCancel: stop,
    onClickCapture: (event) => {
      if (!press.current.isLong) return;
      press.current.isLong = false;
      event.preventDefault();
      event.stopPropagation(); // what was pressed long isn't clicked
    },
    onKeyDown: (event) => {
      if (event.key !== "Enter" || event.target !== event.currentTarget) return;
      event.preventDefault();
      open(event.currentTarget);
    },
    onContextMenu: (event) => {
      if (event.pointerType === "mouse") return; // a mouse has the browser's own menu
      event.preventDefault();
      if (event.pointerType !== "touch") open(event.currentTarget);
    },
  };
}
