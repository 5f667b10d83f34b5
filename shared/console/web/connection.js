// Whether Perene can be reached. Views only read it; api.js writes it.

import { effect, signal } from "./lib.js";
import { ROOT } from "./config.js";

const AGAIN_MS = 5_000;

/** "online", "offline" (this device has no network) or "unreachable" (it has, and nobody answers). */
export const connection = signal(navigator.onLine ? "online" : "offline");

addEventListener("offline", () => (connection.value = "offline"));
addEventListener("online", () => {
  connection.value = "online";
});

export const reached = () => (connection.value = "online");
export const missed = () => (connection.value = navigator.onLine ? "unreachable" : "offline");

/** One look whether Perene answers. */
export async function lookAgain() {
  try {
    await fetch(new URL("config.json", ROOT), { cache: "no-store", signal: AbortSignal.timeout(AGAIN_MS) });
    reached();
  } catch {
    missed();
  }
}

let looking = 0;
effect(() => {
  clearInterval(looking);
  if (connection.value !== "unreachable") return;
  looking = setInterval(() => document.visibilityState === "visible" && lookAgain(), AGAIN_MS);
});
