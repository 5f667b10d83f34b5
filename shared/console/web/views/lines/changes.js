// Change a line; a call is repeated for as long as the server takes, but not while files are being stored: that goes on by itself.

import { api } from "../../api.js";

const MOST_TURNS = 30;
/** Milliseconds of one call: the function waits for files before it answers. */
const TIMEOUT_MS = 90_000;

/** Unpair the line's number; resolves to the line. `query`: {without_media: true} doesn't wait for files. */
export const disconnect = (line, query) => callUntilDone(() => api.post(`instances/${line}/disconnect`, {}, { query, timeout: TIMEOUT_MS }));

/** Release the line, its number and its slot; resolves to the line if it waits for files. `query` as of `disconnect`. */
export const release = (line, query) =>
  callUntilDone(() => api.delete(`instances/${line}`, { query, timeout: TIMEOUT_MS })).catch((error) => {
    if (error.problem !== "line-unknown") throw error;
  });

/** Let a line go that waits for files, without them. */
export const leaveWithoutMedia = ({ line, reason }) => (reason === "release_asked" ? release : disconnect)(line, { without_media: true });

/** Give the line another name. */
export const rename = (line, label) => api.patch(`instances/${line}`, { label });

/** Restart a connected line. */
export const restart = (line) => api.post(`instances/${line}/restart`);

/** Create a link for connecting the line, for the person who holds the phone: {url, expires_at}. */
export const createLink = async (line) => (await api.post(`instances/${line}/link`)).data;

async function callUntilDone(ask) {
  for (let turn = 0; ; turn++) {
    const { status, data, retryAfter } = await ask();
    if (status !== 202 || data.media_awaited || turn === MOST_TURNS) return data;
    await new Promise((resolve) => setTimeout(resolve, (retryAfter ?? 2) * 1000));
  }
}

/** Choose an id for a line of that name which is not in `ids`. */
export function chooseId(label, ids) {
  const plain = label.normalize("NFKD").replace(/[^\w\s-]/g, "").toLowerCase();
  const base = plain.trim().replace(/[\s_-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 24) || "linha";
  const free = (id) => !ids.includes(id) && id !== "default";
  if (free(base)) return base;
  for (let n = 2; ; n++) if (free(`${base}-${n}`)) return `${base}-${n}`;
}
