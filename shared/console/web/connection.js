// Track whether Perene can be reached: api.js writes it, views read it.

import { effect, signal } from "./lib.js";
import { ROOT } from "./config.js";

const RETRY_MS = 5_000;

/** The state: "online", "offline" (this device has no network) or "unreachable" (no answer over it). */
export const connection = signal(navigator.onLine ? "online" : "offline");

addEventListener("offline", () => (connection.value = "offline"));
addEventListener("online", () => {
  connection.value = "online";
});

export const markReachable = () => (connection.value = "online");
export const markUnreachable = () => (connection.value = navigator.onLine ? "unreachable" : "offline");

/** Check once whether Perene answers. */
export async function checkConnection() {
  try {
    await fetch(new URL("config.json", ROOT), { cache: "no-store", signal: AbortSignal.timeout(RETRY_MS) });
    markReachable();
  } catch {
    markUnreachable();
  }
}

let looking = 0;
effect(() => {
  clearInterval(looking);
  if (connection.value !== "unreachable") return;
  looking = setInterval(() => document.visibilityState === "visible" && checkConnection(), RETRY_MS);
});
