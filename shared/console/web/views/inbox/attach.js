// Turn files that a person picked into the bodies of requests.

import { formatBytes } from "../../format.js";
import { t } from "../../i18n/index.js";

export const LARGEST = 16 * 1024 * 1024;
/** Files that are sent together. */
export const MOST = 10;
const PICTURES = new Set(["image/jpeg", "image/png", "image/webp"]);
const VIDEOS = new Set(["video/mp4", "video/3gpp"]);

/** Choose the kind to send a file as; what WhatsApp can't show goes as a document. */
export function kindOf({ type }) {
  if (PICTURES.has(type)) return "image";
  if (VIDEOS.has(type)) return "video";
  return type.startsWith("audio/") ? "audio" : "document";
}

/** Add picked files to those that are attached: {files, trouble}; trouble says why some were left out, or is null. */
export function addFiles(files, picked) {
  const fitting = picked.filter(({ size }) => size > 0 && size <= LARGEST);
  const added = [...files, ...fitting].slice(0, MOST);
  const large = picked.find(({ size }) => size > LARGEST);
  const trouble = large
    ? t("inbox.composer.tooLarge", { size: formatBytes(large.size), limit: formatBytes(LARGEST) })
    : picked.some(({ size }) => !size)
      ? t("inbox.composer.unreadable")
      : files.length + fitting.length > MOST
        ? t("inbox.composer.tooMany", { n: MOST })
        : null;
  return { files: added, trouble };
}

/** Build the request's body for a file and its caption. Rejects with a DOMException if the file can't be read. */
export async function buildBody(file, caption) {
  const kind = kindOf(file);
  const attachment = { base64: await base64(file) };
  if (kind !== "audio") {
    if (file.type) attachment.mimetype = file.type;
    if (caption) attachment.caption = caption;
  }
  if (kind === "document") attachment.name = file.name;
  return { [kind]: attachment };
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
