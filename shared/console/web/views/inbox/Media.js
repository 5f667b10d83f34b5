// Files in messages: fetched when somebody wants them, and let go of when they aren't shown any more.

import { html, useEffect, useRef, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { straight } from "../../direction.js";
import { formatBytes } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Icon, toast } from "../../ui/index.js";
import { kindIcon, kindWord } from "./words.js";

const TIMEOUT_MS = 120_000;
const BYTES = "application/octet-stream";
const SHOWN = {
  image: /^image\/(jpeg|png|webp|gif)$/,
  sticker: /^image\/(webp|png)$/,
  video: /^video\/(mp4|3gpp|webm)$/,
  audio: /^audio\/(ogg|mpeg|mp4|aac|amr|wav|webm)$/,
  voice: /^audio\/(ogg|mpeg|mp4|aac|amr|wav|webm)$/,
  document: /^application\/pdf$/,
};

/** An image, video, sound or sticker: a picture or an icon of it until it is opened. */
export function Media({ message, conversation }) {
  const { kind, media } = message;
  const file = useFile(message, conversation);
  const word = kindWord(kind);
  const open = async () => {
    const { url, shown } = (await file.open()) ?? {};
    if (url && !shown) save(url, media?.name || word);
  };
  const ratio = media?.width && media?.height ? { aspectRatio: `${media.width} / ${media.height}` } : {};
  const visual = kind === "image" || kind === "video" || kind === "sticker";
  if (file.shown && (kind === "image" || kind === "sticker"))
    return html`<div class=${`media ${kind}`} style=${ratio}><img class="whole" src=${file.url} alt=${message.text || word} /></div>`;
  if (file.shown && kind === "video") return html`<div class="media video" style=${ratio}><video src=${file.url} controls autoplay aria-label=${word}></video></div>`;
  if (file.shown) return html`<div class="media sound"><audio src=${file.url} controls autoplay aria-label=${word}></audio></div>`;
  const thumbnail = visual && media?.thumbnail;
  return html`<div class=${`media ${visual ? kind : "sound"}`} style=${visual ? ratio : {}}>
    ${thumbnail && html`<img class="thumbnail" src=${`data:image/jpeg;base64,${thumbnail}`} alt="" />`}
    <button type="button" class="open" aria-busy=${file.busy ? "true" : undefined} onClick=${open}>
      <${Icon} name=${file.busy ? "loader-circle" : file.url ? "download" : kind === "video" || !visual ? "play" : kindIcon(kind)} spin=${file.busy} />
      <span class="unseen">${t(file.url ? "inbox.media.download" : "inbox.media.open")}</span>
      <span>${file.busy ? t("inbox.media.loading") : word}${facts(media)}</span>
    </button>
  </div>${file.error && html`<p class="trouble" role="alert">${t("inbox.media.failed", { why: sentence(file.error) })}</p>`}`;
}

/** A document is saved, never opened here. */
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
    </button>${file.error && html`<p class="trouble" role="alert">${t("inbox.media.failed", { why: sentence(file.error) })}</p>`}`;
}

function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = straight(name);
  link.click();
  toast(t("inbox.media.downloaded", { name }));
}

/** What the browser is told it is: one of what messages of its kind hold, or else only bytes, which are saved. */
function retyped(blob, kind) {
  const type = blob.type.split(";")[0].trim().toLowerCase();
  const known = SHOWN[kind]?.test(type);
  return { blob: new Blob([blob], { type: known ? type : BYTES }), shown: known && kind !== "document" };
}

/**
 * {url, shown, busy, error, open}: `open` resolves to the address, which is good while this is here, and whether it may
 * be shown.
 */
function useFile(message, conversation) {
  const [file, set] = useState({ url: null, shown: false, busy: false, error: null });
  const held = useRef({ url: null, gone: new AbortController() });
  useEffect(() => {
    const mine = held.current;
    return () => {
      mine.gone.abort();
      if (mine.url) URL.revokeObjectURL(mine.url);
    };
  }, []);
  const open = async () => {
    if (held.current.url) return { url: held.current.url, shown: file.shown };
    if (file.busy) return null;
    set({ url: null, shown: false, busy: true, error: null });
    try {
      const path = `conversations/${encodeURIComponent(conversation.id)}/messages/${encodeURIComponent(message.id)}/media`;
      const { data } = await api.blob(path, { signal: held.current.gone.signal, timeout: TIMEOUT_MS });
      if (held.current.gone.signal.aborted) return null;
      const { blob, shown } = retyped(data, message.kind);
      held.current.url = URL.createObjectURL(blob);
      set({ url: held.current.url, shown, busy: false, error: null });
      return { url: held.current.url, shown };
    } catch (error) {
      if (error.kind !== "aborted") set({ url: null, shown: false, busy: false, error });
      return null;
    }
  };
  return { ...file, open };
}

function facts(media) {
  const length = media?.seconds ? `${Math.floor(media.seconds / 60)}:${String(media.seconds % 60).padStart(2, "0")}` : "";
  return [length, media?.size ? formatBytes(media.size) : ""].filter(Boolean).map((each) => ` · ${each}`).join("");
}
