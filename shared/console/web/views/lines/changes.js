// Change a line; a call is repeated for as long as the server takes.

import { api } from "../../api.js";

const MOST_TURNS = 30;

/** Unpair the line's number; resolves to the line. */
export const disconnect = (line) => callUntilDone(() => api.post(`instances/${line}/disconnect`));

/** Release the line, its number and its slot. */
export const release = (line) =>
  callUntilDone(() => api.delete(`instances/${line}`)).catch((error) => {
    if (error.problem !== "line-unknown") throw error;
  });

/** Give the line another name. */
export const rename = (line, label) => api.patch(`instances/${line}`, { label });

/** Restart a connected line. */
export const restart = (line) => api.post(`instances/${line}/restart`);

/** Create a link for connecting the line, for the person who holds the phone: {url, expires_at}. */
export const createLink = async (line) => (await api.post(`instances/${line}/link`)).data;

async function callUntilDone(ask) {
  for (let turn = 0; ; turn++) {
    const { status, data, retryAfter } = await ask();
    if (status !== 202 || turn === MOST_TURNS) return data;
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
