// Fetch the files in messages once, and keep the newest of them while the page is open.

import { html, useEffect, useRef, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { straight } from "../../direction.js";
import { has, t } from "../../i18n/index.js";
import { toast } from "../../ui/index.js";

const TIMEOUT_MS = 120_000;
const AT_ONCE = 2;
/** The largest file, in bytes, that is fetched without being asked for. */
const LARGEST_UNASKED = 5_000_000;
/** States of a file that nobody has any more, mostly. */
const LOST = ["expired", "unobtainable", "deleted"];
const LARGEST_KEPT = 96_000_000;
const BYTES = "application/octet-stream";
const SHOWABLE = {
  image: /^image\/(jpeg|png|webp|gif)$/,
  sticker: /^image\/(webp|png)$/,
  video: /^video\/(mp4|3gpp|webm)$/,
  audio: /^audio\/(ogg|mpeg|mp4|aac|amr|wav|webm)$/,
  voice: /^audio\/(ogg|mpeg|mp4|aac|amr|wav|webm)$/,
  document: /^application\/pdf$/,
};

/** Files by their path, oldest use first: {url, shown, size, users}. `shown`: a browser may show it. */
const kept = new Map();
const running = new Map();
const failed = new Set();
const waiting = [];

const pathOf = (conversation, message) => `conversations/${encodeURIComponent(conversation)}/messages/${encodeURIComponent(message)}/media`;

/** Keep a file that this browser sent as that of its message, so that it needn't be fetched. */
export function keepFile(conversation, message, blob) {
  if (blob && !kept.has(pathOf(conversation, message.id))) keep(pathOf(conversation, message.id), blob, message.kind);
}

/**
 * Use a message's file; returns {url, shown, busy, error, open, isWanted, want}. `open` fetches it and resolves to {url, shown},
 * or to null after a failure; the address stays valid while the component is on the page. `want` fetches it when it is its
 * turn, small files first, if `isWanted`: it isn't there, isn't too large, and didn't fail before.
 */
export function useFile(message, conversation) {
  const path = conversation && pathOf(conversation.id, message.id);
  const [{ busy, error }, set] = useState({ busy: false, error: null });
  const isHere = useRef(true);
  const file = kept.get(path);
  useEffect(() => () => void (isHere.current = false), []);
  useEffect(() => {
    if (!file) return undefined;
    file.users++;
    return () => file.users--;
  }, [file]);
  const show = (state) => isHere.current && set(state);
  const open = async () => {
    if (!path) return null;
    show({ busy: true, error: null });
    try {
      const opened = await fetchFile(path, message.kind);
      show({ busy: false, error: null });
      return opened;
    } catch (failure) {
      show({ busy: false, error: failure });
      return null;
    }
  };
  const isWanted = Boolean(path) && !file && !failed.has(path) && !message.view_once && !LOST.includes(message.media_state) && (message.media?.size ?? 0) <= LARGEST_UNASKED && !navigator.connection?.saveData;
  const want = () => takeTurn({ size: message.media?.size ?? LARGEST_UNASKED, run: () => isHere.current && open() });
  return { url: file?.url ?? null, shown: Boolean(file?.shown), busy, error, open, isWanted, want };
}

let started = 0;

/** Run `run()` when it is its turn: a few at once, the smallest first. Returns a function that gives the turn up. */
export function takeTurn(turn) {
  waiting.push(turn);
  startWaiting();
  return () => waiting.includes(turn) && waiting.splice(waiting.indexOf(turn), 1);
}

async function startWaiting() {
  await null; // all that came into sight together compete
  while (started < AT_ONCE && waiting.length) {
    waiting.sort((one, other) => one.size - other.size);
    started++;
    Promise.resolve(waiting.shift().run()).finally(() => {
      started--;
      startWaiting();
    });
  }
}

/** Fetch a file, or find it among those that are kept. */
async function fetchFile(path, kind) {
  const file = kept.get(path);
  if (file) {
    kept.delete(path);
    kept.set(path, file);
    return file;
  }
  if (!running.has(path))
    running.set(
      path,
      api.blob(path, { timeout: TIMEOUT_MS }).finally(() => running.delete(path)),
    );
  try {
    const { data } = await running.get(path);
    return kept.get(path) ?? keep(path, data, kind);
  } catch (failure) {
    failed.add(path);
    throw failure;
  }
}

function keep(path, data, kind) {
  const { blob, shown } = retype(data, kind);
  const file = { url: URL.createObjectURL(blob), shown, size: blob.size, users: 0 };
  kept.set(path, file);
  let total = [...kept.values()].reduce((sum, { size }) => sum + size, 0);
  for (const [old, { url, size, users }] of kept) {
    if (total <= LARGEST_KEPT) break;
    if (users || old === path) continue;
    kept.delete(old);
    URL.revokeObjectURL(url);
    total -= size;
  }
  return file;
}

/** Give the browser a media type that is safe for the message's kind, or else plain bytes, which it only saves. */
function retype(blob, kind) {
  const type = blob.type.split(";")[0].trim().toLowerCase();
  const isShowable = SHOWABLE[kind]?.test(type) ?? false;
  return { blob: new Blob([blob], { type: isShowable ? type : BYTES }), shown: isShowable && kind !== "document" };
}

/** Save a file under a name. */
export function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = straight(name);
  link.click();
  toast(t("inbox.media.downloaded", { name }));
}

/** Say why a file isn't there, or won't be: `state` is the message's `media_state`. */
export function Failure({ error, state }) {
  const lost = `inbox.media.lost.${state}`;
  return html`${error && html`<p class="trouble" role="alert">${t("inbox.media.failed", { why: sentence(error) })}</p>`}${has(lost) && html`<p class="muted small">${t(lost)}</p>`}`;
}
