// What changes a line, asked again for as long as its server takes.

import { api } from "../../api.js";

const LONGEST_TURNS = 30;

/** The line's number is unpaired; it resolves to the line. */
export const disconnect = (line) => patiently(() => api.post(`instances/${line}/disconnect`));

/** The line is released: its number and its place are free. */
export const release = (line) =>
  patiently(() => api.delete(`instances/${line}`)).catch((error) => {
    if (error.problem !== "line-unknown") throw error;
  });

/** A connected line reconnects. */
export const restart = (line) => api.post(`instances/${line}/restart`);

/** {url, expires_at}: a link to connect it, for whoever has the phone. */
export const linkTo = async (line) => (await api.post(`instances/${line}/link`)).data;

async function patiently(ask) {
  for (let turn = 0; ; turn++) {
    const { status, data, retryAfter } = await ask();
    if (status !== 202 || turn === LONGEST_TURNS) return data;
    await new Promise((resolve) => setTimeout(resolve, (retryAfter ?? 2) * 1000));
  }
}

/** An id for a line of that name, which none of `taken` is. */
export function idFor(label, taken) {
  const plain = label.normalize("NFKD").replace(/[^\w\s-]/g, "").toLowerCase();
  const base = plain.trim().replace(/[\s_-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 24) || "linha";
  const free = (id) => !taken.includes(id) && id !== "default";
  if (free(base)) return base;
  for (let n = 2; ; n++) if (free(`${base}-${n}`)) return `${base}-${n}`;
}
