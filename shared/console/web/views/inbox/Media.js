// Files in messages: fetched when somebody wants them, and let go of when they aren't shown any more.

import { html, useEffect, useRef, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { formatBytes } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Icon, toast } from "../../ui/index.js";
import { kindIcon, kindWord } from "./words.js";

const TIMEOUT_MS = 120_000;

/** An image, video, sound or sticker: a picture or an icon of it until it is opened. */
export function Media({ message, conversation }) {
  const { kind, media } = message;
  const file = useFile(message, conversation);
  const word = kindWord(kind);
  const ratio = media?.width && media?.height ? { aspectRatio: `${media.width} / ${media.height}` } : {};
  const visual = kind === "image" || kind === "video" || kind === "sticker";
  if (file.url && (kind === "image" || kind === "sticker"))
    return html`<div class=${`media ${kind}`} style=${ratio}><img class="whole" src=${file.url} alt=${message.text || word} /></div>`;
  if (file.url && kind === "video") return html`<div class="media video" style=${ratio}><video src=${file.url} controls autoplay aria-label=${word}></video></div>`;
  if (file.url) return html`<div class="media sound"><audio src=${file.url} controls autoplay aria-label=${word}></audio></div>`;
  const thumbnail = visual && media?.thumbnail;
  return html`<div class=${`media ${visual ? kind : "sound"}`} style=${visual ? ratio : {}}>
    ${thumbnail && html`<img class="thumbnail" src=${`data:image/jpeg;base64,${thumbnail}`} alt="" />`}
    <button type="button" class="open" aria-busy=${file.busy ? "true" : undefined} onClick=${file.open}>
      <${Icon} name=${file.busy ? "loader-circle" : kind === "video" || !visual ? "play" : kindIcon(kind)} spin=${file.busy} />
      <span class="unseen">${t("inbox.media.open")}</span>
      <span>${file.busy ? t("inbox.media.loading") : word}${facts(media)}</span>
    </button>
  </div>${file.error && html`<p class="trouble" role="alert">${t("inbox.media.failed", { why: sentence(file.error) })}</p>`}`;
}

/** A document is saved, never opened here. */
export function Document({ message, conversation }) {
  const name = message.media?.name || kindWord("document");
  const file = useFile(message, conversation);
  const save = async () => {
    const url = await file.open();
    if (!url) return;
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    toast(t("inbox.media.downloaded", { name }));
  };
  return html`<button type="button" class="piece document" aria-busy=${file.busy ? "true" : undefined} onClick=${save}>
      <${Icon} name=${file.busy ? "loader-circle" : "file-text"} spin=${file.busy} />
      <span><span class="unseen">${t("inbox.media.download")}</span><strong dir="auto">${name}</strong><span class="small">${kindWord("document")}${facts(message.media)}</span></span><${Icon} name="download" />
    </button>${file.error && html`<p class="trouble" role="alert">${t("inbox.media.failed", { why: sentence(file.error) })}</p>`}`;
}

/** {url, busy, error, open}: `open` resolves to the address, which is good while this is shown. */
function useFile(message, conversation) {
  const [file, set] = useState({ url: null, busy: false, error: null });
  const held = useRef({ url: null, gone: new AbortController() });
  useEffect(() => {
    const mine = held.current;
    return () => {
      mine.gone.abort();
      if (mine.url) URL.revokeObjectURL(mine.url);
    };
  }, []);
  const open = async () => {
    if (held.current.url || file.busy) return held.current.url;
    set({ url: null, busy: true, error: null });
    try {
      const path = `conversations/${encodeURIComponent(conversation.id)}/messages/${encodeURIComponent(message.id)}/media`;
      const { data } = await api.blob(path, { signal: held.current.gone.signal, timeout: TIMEOUT_MS });
      if (held.current.gone.signal.aborted) return null;
      held.current.url = URL.createObjectURL(data);
      set({ url: held.current.url, busy: false, error: null });
    } catch (error) {
      if (error.kind !== "aborted") set({ url: null, busy: false, error });
    }
    return held.current.url;
  };
  return { ...file, open };
}

function facts(media) {
  const length = media?.seconds ? `${Math.floor(media.seconds / 60)}:${String(media.seconds % 60).padStart(2, "0")}` : "";
  return [length, media?.size ? formatBytes(media.size) : ""].filter(Boolean).map((each) => ` · ${each}`).join("");
}
