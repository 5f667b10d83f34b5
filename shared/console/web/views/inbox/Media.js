// Show the files in messages: fetched when a person opens them, released when they leave the page.

import { html, useEffect, useRef, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { straight } from "../../direction.js";
import { formatBytes } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Icon, toast } from "../../ui/index.js";
import { kindIcon, kindWord } from "./words.js";

const TIMEOUT_MS = 120_000;
const BYTES = "application/octet-stream";
const SHOWABLE = {
  image: /^image\/(jpeg|png|webp|gif)$/,
  sticker: /^image\/(webp|png)$/,
  video: /^video\/(mp4|3gpp|webm)$/,
  audio: /^audio\/(ogg|mpeg|mp4|aac|amr|wav|webm)$/,
  voice: /^audio\/(ogg|mpeg|mp4|aac|amr|wav|webm)$/,
  document: /^application\/pdf$/,
};

/** Show an image, video, sound or sticker; a thumbnail or an icon until it is opened. */
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
    </button>${file.error && html`<p class="trouble" role="alert">${t("inbox.media.failed", { why: sentence(file.error) })}</p>`}`;
}

function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = straight(name);
  link.click();
  toast(t("inbox.media.downloaded", { name }));
}

/** Give the browser a media type that is safe for the message's kind, or else plain bytes, which it only saves. */
function retype(blob, kind) {
  const type = blob.type.split(";")[0].trim().toLowerCase();
  const isShowable = SHOWABLE[kind]?.test(type);
  return { blob: new Blob([blob], { type: isShowable ? type : BYTES }), shown: isShowable && kind !== "document" };
}

/**
 * Fetch a message's file on demand; returns {url, shown, busy, error, open}. `open` resolves to its address, valid until the
 * component leaves the page, and whether it may be shown.
 */
function useFile(message, conversation) {
  const [file, set] = useState({ url: null, shown: false, busy: false, error: null });
  const download = useRef({ url: null, controller: new AbortController() });
  useEffect(() => {
    const current = download.current;
    return () => {
      current.controller.abort();
      if (current.url) URL.revokeObjectURL(current.url);
    };
  }, []);
  const open = async () => {
    if (download.current.url) return { url: download.current.url, shown: file.shown };
    if (file.busy) return null;
    set({ url: null, shown: false, busy: true, error: null });
    try {
      const path = `conversations/${encodeURIComponent(conversation.id)}/messages/${encodeURIComponent(message.id)}/media`;
      const { data } = await api.blob(path, { signal: download.current.controller.signal, timeout: TIMEOUT_MS });
      if (download.current.controller.signal.aborted) return null;
      const { blob, shown } = retype(data, message.kind);
      download.current.url = URL.createObjectURL(blob);
      set({ url: download.current.url, shown, busy: false, error: null });
      return { url: download.current.url, shown };
    } catch (error) {
      if (error.kind !== "aborted") set({ url: null, shown: false, busy: false, error });
      return null;
    }
  };
  return { ...file, open };
}

function facts(media) {
  const length = media?.seconds ? `${Math.floor(media.seconds / 60)}:${String(media.seconds % 60).padStart(2, "0")}` : "";
  return [length, media?.size ? formatBytes(media.size) : ""].filter(Boolean).map((fact) => ` · ${fact}`).join("");
}
