// Turn a file that a person picked into the body of a request.

import { formatBytes } from "../../format.js";
import { t } from "../../i18n/index.js";

export const LARGEST = 16 * 1024 * 1024;
const PICTURES = new Set(["image/jpeg", "image/png", "image/webp"]);
const VIDEOS = new Set(["video/mp4", "video/3gpp"]);

/** Choose the kind to send a file as; what WhatsApp can't show goes as a document. */
export function kindOf({ type }) {
  if (PICTURES.has(type)) return "image";
  if (VIDEOS.has(type)) return "video";
  return type.startsWith("audio/") ? "audio" : "document";
}

/** Explain why a file is too large to be sent, or return null. */
export const tooLarge = ({ size }) =>
  size > LARGEST ? t("inbox.composer.tooLarge", { size: formatBytes(size), limit: formatBytes(LARGEST) }) : null;

/** Build the request's body for a file and its caption. Rejects if the file can't be read. */
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
