// Tell the functions' time: a browser's clock may be wrong, and ages and countdowns follow theirs.

import { signal } from "./lib.js";

const TOLERANCE_MS = 3_000;

/** Milliseconds by which the functions' clock is ahead of this browser's. */
const ahead = signal(0);

/** Return the functions' time, in epoch ms. */
export const now = () => Date.now() + ahead.value;

/** Adopt the time of an answer (epoch ms, as text); a small difference is the network's delay. */
export function adoptTime(text) {
  const time = Number(text);
  if (text && Number.isFinite(time) && Math.abs(time - now()) > TOLERANCE_MS) ahead.value = time - Date.now();
}
