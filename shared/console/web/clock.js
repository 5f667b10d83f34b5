// The functions' time: a browser's clock may be wrong, and ages and countdowns are by theirs.

import { signal } from "./lib.js";

const NOTICED_MS = 3_000;

/** How far the functions' clock is ahead of this browser's, in ms. */
const ahead = signal(0);

/** What time it is for the functions, in epoch ms. */
export const now = () => Date.now() + ahead.value;

/** An answer said what time it is (epoch ms); small differences are the way that it took. */
export function learn(said) {
  const time = Number(said);
  if (said && Number.isFinite(time) && Math.abs(time - now()) > NOTICED_MS) ahead.value = time - Date.now();
}
