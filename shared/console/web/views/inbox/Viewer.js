// Show a picture large: zoom, save, and go to the next one of the conversation.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../../lib.js";
import { formatMoment } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Icon } from "../../ui/index.js";
import { Failure, save, useFile } from "./files.js";
import { enlarged } from "./Media.js";
import { authorName, kindWord } from "./words.js";
import { Words } from "./FormattedText.js";

const STEP = 1.5;
const LARGEST = 6;

/** Show the enlarged picture of these messages, oldest first; `name` is the contact's. */
export function Viewer({ pictures, conversation, name }) {
  const message = enlarged.value;
  const dialog = useRef(null);
  const at = pictures.findIndex((picture) => picture.id === message.id);
  useLayoutEffect(() => {
    dialog.current.showModal();
    return () => dialog.current?.close(); // returns the focus to where it came from
  }, []);
  const close = () => (enlarged.value = null);
  const go = (step) => pictures[at + step] && (enlarged.value = pictures[at + step]);
  const press = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) go(step);
    event.stopPropagation(); // the conversation behind it stays
  };
  const cancel = (event) => {
    event.preventDefault();
    close();
  };
  const who = message.from_me ? t("inbox.you") : message.author ? authorName(message.author) : name;
  return html`<dialog ref=${dialog} class="viewer" aria-label=${t("conversation.viewer.title")} onKeyDown=${press} onCancel=${cancel}>
    <${Large} key=${message.id} message=${message} conversation=${conversation} close=${close}
      head=${html`<p class="of"><strong class="cut" dir="auto">${who}</strong><span class="small">${formatMoment(message.at)}${at >= 0 && pictures.length > 1 && ` · ${t("conversation.viewer.place", { n: at + 1, of: pictures.length })}`}</span></p>`} />
    ${at > 0 && html`<${Button} kind="quiet" icon="chevron-left" label=${t("conversation.viewer.previous")} class="previous" onClick=${() => go(-1)} />`}
    ${at >= 0 && at < pictures.length - 1 && html`<${Button} kind="quiet" icon="chevron-right" label=${t("conversation.viewer.next")} class="next" onClick=${() => go(1)} />`}
  </dialog>`;
}

function Large({ message, conversation, head, close }) {
  const file = useFile(message, conversation);
  const [zoom, setZoom] = useState(1);
  const stage = useRef(null);
  const drag = useRef(null);
  useEffect(() => {
    if (!file.url) file.open();
  }, []);
  const change = (factor) => setZoom((before) => Math.min(LARGEST, Math.max(1, before * factor)));
  useLayoutEffect(() => {
    const box = stage.current; // what was in the middle stays there
    box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2;
    box.scrollTop = (box.scrollHeight - box.clientHeight) / 2;
  }, [zoom]);
  const wheel = (event) => {
    event.preventDefault();
    change(event.deltaY < 0 ? 1.2 : 1 / 1.2);
  };
  const grab = ({ clientX: x, clientY: y, pointerType }) => {
    if (pointerType === "mouse" && zoom > 1) drag.current = { x, y, left: stage.current.scrollLeft, top: stage.current.scrollTop };
  };
  const move = ({ clientX, clientY, buttons }) => {
    const from = drag.current;
    if (!from || !buttons) return;
    stage.current.scrollTo(from.left - (clientX - from.x), from.top - (clientY - from.y));
  };
  const press = (event) => {
    const factor = { "+": STEP, "=": STEP, "-": 1 / STEP, 0: 1 / LARGEST }[event.key];
    if (factor) change(factor);
  };
  const word = kindWord(message.kind);
  return html`<header class="bar">${head}
      <${Button} kind="quiet" icon="zoom-out" label=${t("conversation.viewer.smaller")} disabled=${zoom === 1 ? t("conversation.viewer.whole") : false} onClick=${() => change(1 / STEP)} />
      <${Button} kind="quiet" icon="zoom-in" label=${t("conversation.viewer.larger")} disabled=${zoom === LARGEST ? t("conversation.viewer.largest") : false} onClick=${() => change(STEP)} />
      <${Button} kind="quiet" icon="download" label=${t("conversation.viewer.save")} disabled=${file.url ? false : t("inbox.media.loading")} onClick=${() => save(file.url, message.media?.name || word)} />
      <${Button} kind="quiet" icon="x" label=${t("shell.close")} onClick=${close} /></header>
    <div class=${`stage${zoom > 1 ? " zoomed" : ""}`} ref=${stage} tabindex="0" role="group" aria-label=${word} onWheel=${wheel} onKeyDown=${press} onPointerDown=${grab} onPointerMove=${move}
      onClick=${(event) => event.target === stage.current && close()} onDblClick=${() => setZoom(zoom > 1 ? 1 : 2.5)}>
      ${file.shown
        ? html`<img src=${file.url} alt=${message.text || word} draggable=${false} style=${{ width: `${zoom * 100}%`, height: `${zoom * 100}%` }} />`
        : file.error
          ? html`<${Failure} error=${file.error} />`
          : html`<${Icon} name="loader-circle" spin label=${t("inbox.media.loading")} />`}
    </div>
    ${message.text && html`<div class="caption"><${Words} text=${message.text} /></div>`}`;
}
