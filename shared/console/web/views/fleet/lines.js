// Load all lines of the fleet, page by page, and filter them. They stay loaded while the person is elsewhere.

import { batch, signal } from "../../lib.js";
import { api } from "../../api.js";
import { formatNumber, lineName } from "../../format.js";
import { locale } from "../../i18n/index.js";

const PAGE = 500;

/** The lines loaded so far. at: when loading began; done: there are no more. */
export const fleetLines = signal({ lines: [], at: null, done: false, busy: false, error: null });

let running = null;

/** Load every page again; the lines shown stay until there is more to show. */
export async function load() {
  running?.abort();
  const controller = (running = new AbortController());
  fleetLines.value = { ...fleetLines.value, busy: true, error: null };
  const at = new Date();
  const lines = [];
  let cursor;
  try {
    do {
      const { data } = await api.get("fleet/instances", { query: { limit: PAGE, cursor }, signal: controller.signal });
      lines.push(...data.instances.map(searchable));
      cursor = data.next;
      // When loading again, show nothing before it has caught up, so that rows don't vanish and come back.
      if (!cursor || lines.length >= fleetLines.value.lines.length) batch(() => show(lines, at, !cursor));
    } while (cursor);
  } catch (error) {
    if (error.kind !== "aborted") fleetLines.value = { ...fleetLines.value, busy: false, error };
  }
}

const show = (lines, at, done) => (fleetLines.value = { lines: [...lines], at, done, busy: !done, error: null });

function searchable(line) {
  const number = formatNumber(line.number);
  return { ...line, words: plain(`${lineName(line)} ${line.tenant} ${line.line} ${number}`), digits: line.number ?? "" };
}

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export const COLUMNS = ["label", "tenant", "number", "state", "server", "since"];

/** Tell whether a line isn't connected. */
export const isOff = (line) => line.state !== "open";

/** Filter and sort the lines by {text, state, server, tenant, sort, down}. */
export function selectLines(lines, { text, state, server, tenant, sort, down }) {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const digits = /^[\d\s()+-]+$/.test(text) ? text.replace(/\D/g, "") : "";
  const matches = lines.filter(
    (line) =>
      (!state || (state === "off" ? isOff(line) : line.state === state)) &&
      (!server || line.server === server) &&
      (!tenant || line.tenant === tenant) &&
      ((digits && line.digits.includes(digits)) || words.every((word) => line.words.includes(word))),
  );
  const collator = new Intl.Collator(locale(), { numeric: true, sensitivity: "base" });
  const direction = down ? -1 : 1;
  const by = {
    since: (one, other) => (one.since < other.since ? -1 : one.since > other.since ? 1 : 0),
    number: (one, other) => !one.number - !other.number || (one.digits < other.digits ? -1 : one.digits > other.digits ? 1 : 0),
  };
  const compare = by[sort] ?? ((one, other) => collator.compare(one[sort], other[sort]));
  return matches.sort((one, other) => direction * compare(one, other) || collator.compare(one.instance, other.instance));
}
