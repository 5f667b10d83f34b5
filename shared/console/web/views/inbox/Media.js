// Show the files in messages: pictures by themselves once they are near, everything else when a person opens it.

import { html, signal, useEffect, useRef, useState } from "../../lib.js";
import { straight } from "../../direction.js";
import { formatBytes, formatLength } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Icon } from "../../ui/index.js";
import { Failure, save, useFile } from "./files.js";
import { Sound } from "./Sound.js";
import { kindWord } from "./words.js";

const NEAR = "600px 0px";
/** The narrowest and the widest box of a picture; one that is longer is still shown whole. */
const [NARROWEST, WIDEST] = [0.35, 3];

/** The message whose picture is shown large, or null. */
export const enlarged = signal(null);

/** Show an image, video, sound or sticker. */
export function Media({ message, conversation }) {
  if (message.kind === "audio" || message.kind === "voice") return html`<${Sound} message=${message} conversation=${conversation} />`;
  return html`<${Visual} message=${message} conversation=${conversation} />`;
}

function Visual({ message, conversation }) {
  const { kind, media } = message;
  const file = useFile(message, conversation);
  const place = useRef(null);
  const [size, learn] = useState(null);
  const word = kindWord(kind);
  const isVideo = kind === "video";
  useEffect(() => {
    if (isVideo || !file.isWanted) return undefined;
    let drop = null;
    const watch = new IntersectionObserver(
      ([{ isIntersecting }]) => {
        drop?.();
        drop = isIntersecting ? file.want() : null;
      },
      { root: place.current.closest(".log"), rootMargin: NEAR },
    );
    watch.observe(place.current);
    return () => {
      drop?.();
      watch.disconnect();
    };
  }, [file.isWanted]);
  const open = async () => {
    const { url, shown } = (await file.open()) ?? {};
    if (url && !shown) save(url, media?.name || word);
  };
  const measured = ({ currentTarget: { naturalWidth, naturalHeight } }) => naturalWidth && learn({ width: naturalWidth, height: naturalHeight });
  const box = { class: `media ${kind}`, style: shape(size ?? media), ref: place };
  if (file.shown && isVideo) return html`<div ...${box}><video src=${file.url} controls autoplay aria-label=${word}></video></div>`;
  if (file.shown && kind === "sticker") return html`<div ...${box}><img class="whole" src=${file.url} alt=${message.text || word} /></div>`;
  if (file.shown)
    return html`<div ...${box}><button type="button" class="enlarge" onClick=${() => (enlarged.value = message)}>
      <img class="whole" src=${file.url} alt=${message.text || word} onLoad=${measured} /><span class="unseen">${t("inbox.media.enlarge")}</span></button></div>`;
  return html`<div ...${box}>
    ${media?.thumbnail && html`<img class="thumbnail" src=${`data:image/jpeg;base64,${media.thumbnail}`} alt="" />`}
    <button type="button" class="open" aria-busy=${file.busy ? "true" : undefined} onClick=${open}>
      <${Icon} name=${file.busy ? "loader-circle" : file.url ? "download" : isVideo ? "play" : "image"} spin=${file.busy} />
      <span class="unseen">${t(file.url ? "inbox.media.download" : "inbox.media.open")}</span>
      <span>${file.busy ? t("inbox.media.loading") : word}${facts(media)}</span>
    </button>
  </div><${Failure} error=${file.error} state=${message.media_state} />`;
}

/** Give a picture the proportions of its file, so that it is shown whole, and nothing jumps when it comes. */
export function shape({ width, height } = {}) {
  const ratio = width && height ? Math.min(WIDEST, Math.max(NARROWEST, width / height)) : 4 / 3;
  return { "--ratio": String(ratio) };
}

/** Offer a document for saving; it is never opened here. */
export function Document({ message, conversation }) {
  const name = straight(message.media?.name) || kindWord("document");
  const file = useFile(message, conversation);
  const open = async () => {
    const { url } = (await file.open()) ?? {};
    if (url) save(url, name);
  };
  return html`<button type="button" class="piece document" aria-busy=${file.busy ? "true" : undefined} onClick=${open}>
      <${Icon} name=${file.busy ? "loader-circle" : "file-text"} spin=${file.busy} />
      <span><span class="unseen">${t("inbox.media.download")}</span><strong dir="auto">${name}</strong><span class="small">${kindWord("document")}${facts(message.media)}</span></span><${Icon} name="download" />
    </button><${Failure} error=${file.error} state=${message.media_state} />`;
}

function facts(media) {
  const length = media?.seconds ? formatLength(media.seconds) : "";
  return [length, media?.size ? formatBytes(media.size) : ""].filter(Boolean).map((fact) => ` · ${fact}`).join("");
}
