// Track which functions can be reached: api.js notes it, views read it.

import { computed, effect, signal } from "./lib.js";
import { ROOT, functionUrl } from "./config.js";

const RETRY_MS = 5_000;

const hasNetwork = signal(navigator.onLine);
const isConsoleReached = signal(true);

/** The names of the functions that were called and didn't answer, e.g. "conversations". */
export const silentFunctions = signal([]);

/** The state: "online", "offline" (this device has no network), "unreachable" (nothing answers) or "partly" (a function doesn't). */
export const connection = computed(() => {
  if (!hasNetwork.value) return "offline";
  if (!silentFunctions.value.length) return "online";
  return isConsoleReached.value ? "partly" : "unreachable";
});

addEventListener("offline", () => (hasNetwork.value = false));
addEventListener("online", () => (hasNetwork.value = true));

const functionOf = (path) => path.replace(/^\//, "").split(/[/?]/)[0];

/** Note that the function of this path answered. */
export function noteAnswer(path) {
  const name = functionOf(path);
  hasNetwork.value = true;
  if (silentFunctions.value.includes(name)) silentFunctions.value = silentFunctions.value.filter((other) => other !== name);
}

/** Note that the function of this path didn't answer; what is said follows once it is known whether anything does. */
export async function noteSilence(path) {
  const name = functionOf(path);
  if (silentFunctions.value.includes(name)) return;
  const isReached = await answers(new URL("config.json", ROOT));
  isConsoleReached.value = isReached;
  if (!silentFunctions.value.includes(name)) silentFunctions.value = [...silentFunctions.value, name];
}

/** Check once whether what was silent answers. */
export async function checkConnection() {
  hasNetwork.value = navigator.onLine;
  isConsoleReached.value = await answers(new URL("config.json", ROOT));
  await Promise.all(
    silentFunctions.value.map(async (name) => {
      if (await answers(await functionUrl(name).catch(() => null), "OPTIONS")) noteAnswer(name);
    }),
  );
}

/** Tell whether there is an answer that isn't a gateway's excuse. */
async function answers(url, method = "GET") {
  if (!url) return false;
  const answer = await fetch(url, { method, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(RETRY_MS) }).catch(() => null);
  return Boolean(answer && answer.status < 500 && answer.status !== 404);
}

let timer = 0;
effect(() => {
  clearInterval(timer);
  if (!silentFunctions.value.length) return;
  timer = setInterval(() => document.visibilityState === "visible" && checkConnection(), RETRY_MS);
});
