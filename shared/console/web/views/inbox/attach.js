// A file that somebody picked, as what the functions take.

import { formatBytes } from "../../format.js";
import { t } from "../../i18n/index.js";

export const LARGEST = 16 * 1024 * 1024;
const PICTURES = new Set(["image/jpeg", "image/png", "image/webp"]);
const VIDEOS = new Set(["video/mp4", "video/3gpp"]);

/** What it is sent as; what WhatsApp doesn't show by itself goes as a document. */
export function kindOf({ type }) {
  if (PICTURES.has(type)) return "image";
  if (VIDEOS.has(type)) return "video";
  return type.startsWith("audio/") ? "audio" : "document";
}

/** Why it can't be sent, or null. */
export const tooLarge = ({ size }) =>
  size > LARGEST ? t("inbox.composer.tooLarge", { size: formatBytes(size), limit: formatBytes(LARGEST) }) : null;

/** The request's body for it, with the words as its caption. Rejects if the file can't be read. */
export async function bodyOf(file, caption) {
  const kind = kindOf(file);
  const given = { base64: await base64(file) };
  if (kind !== "audio") {
    if (file.type) given.mimetype = file.type;
    if (caption) given.caption = caption;
  }
  if (kind === "document") given.name = file.name;
  return { [kind]: given };
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
