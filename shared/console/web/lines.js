// Hold the tenant's lines for the whole page: which there are, and which fell.

import { computed, signal } from "./lib.js";
import { api } from "./api.js";
import { now } from "./clock.js";
import { hue, HUES } from "./format.js";

/** Milliseconds in which a line may come back by itself before anybody is told. */
const PATIENCE_MS = 60_000;
/** Reasons for which a line is off because somebody wanted it so. */
const WANTED = new Set(["disconnected", "disconnect_asked", "number_asked", "release_asked"]);
/** Reasons for which a line waits for its first pairing, if it never had a number. */
const UNPAIRED = new Set(["new", "waiting_for_scan", "no_code", "qr_limit"]);

/** The last answer: {data, error}. `data.lines` are the lines, `data.max_lines` how many the plan allows. */
export const lines = signal({ data: undefined, error: null });

/** The lines that fell, the longest fallen first. */
export const fallenLines = computed(() =>
  (lines.value.data?.lines ?? []).filter((line) => isFallen(line, now())).sort((one, other) => one.since.localeCompare(other.since)),
);

/** Return the colour that tells a line from the tenant's others: neighbours in the wheel of ten are far apart. */
export function hueOf(line) {
  const at = orderOfLines.value.indexOf(line);
  return at < 0 ? hue(line) : at % HUES;
}

const orderOfLines = computed(() => (lines.value.data?.lines ?? []).map(({ line }) => line).sort());

let etag = null;

/** Forget another person's lines. */
export function forgetLines() {
  etag = null;
  lines.value = { data: undefined, error: null };
}

/** Fetch the lines; an unchanged answer costs a 304. A failure is kept beside the last answer. */
export async function loadLines() {
  try {
    const answer = await api.get("instances", { etag });
    etag = answer.etag;
    lines.value = { data: answer.status === 304 ? lines.value.data : answer.data, error: null };
  } catch (error) {
    lines.value = { ...lines.value, error };
    throw error;
  }
}

/** Tell whether a line that could speak can't any more, although nobody wanted that. */
export function isFallen({ state, reason, number, since }, at) {
  if (state === "conflict" || state === "missing") return true;
  if (state === "pairing") return Boolean(number);
  if (state !== "closed" || WANTED.has(reason) || (UNPAIRED.has(reason) && !number)) return false;
  return reason !== "reconnecting" || at - Date.parse(since) > PATIENCE_MS;
}
