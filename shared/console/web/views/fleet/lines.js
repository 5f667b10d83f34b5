// All lines of the fleet, page after page, kept while one looks elsewhere; and which of them are wanted.

import { batch, signal } from "../../lib.js";
import { api } from "../../api.js";
import { formatNumber, lineName } from "../../format.js";
import { locale } from "../../i18n/index.js";

const PAGE = 500;

/** lines: those that are there already; at: when they were asked for; done: there are no more. */
export const loaded = signal({ lines: [], at: null, done: false, busy: false, error: null });

let running = null;

/** Every page anew; what is shown stays until the first page is there. */
export async function load() {
  running?.abort();
  const mine = (running = new AbortController());
  loaded.value = { ...loaded.value, busy: true, error: null };
  const at = new Date();
  const found = [];
  let cursor;
  try {
    do {
      const { data } = await api.get("fleet/instances", { query: { limit: PAGE, cursor }, signal: mine.signal });
      found.push(...data.instances.map(searchable));
      cursor = data.next;
      // A second look shows nothing before it has caught up, so that rows don't vanish and come back.
      if (!cursor || found.length >= loaded.value.lines.length) batch(() => show(found, at, !cursor));
    } while (cursor);
  } catch (error) {
    if (error.kind !== "aborted") loaded.value = { ...loaded.value, busy: false, error };
  }
}

const show = (found, at, done) => (loaded.value = { lines: [...found], at, done, busy: !done, error: null });

function searchable(line) {
  const shown = formatNumber(line.number);
  return { ...line, words: plain(`${lineName(line)} ${line.tenant} ${line.line} ${shown}`), digits: line.number ?? "" };
}

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export const COLUMNS = ["label", "tenant", "number", "state", "server", "since"];

/** Whether a line isn't connected. */
export const off = (line) => line.state !== "open";

/** The lines that `wanted` {text, state, server, tenant, sort, down} leaves, in its order. */
export function chosen(lines, { text, state, server, tenant, sort, down }) {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const digits = /^[\d\s()+-]+$/.test(text) ? text.replace(/\D/g, "") : "";
  const found = lines.filter(
    (line) =>
      (!state || (state === "off" ? off(line) : line.state === state)) &&
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
  return found.sort((one, other) => direction * compare(one, other) || collator.compare(one.instance, other.instance));
}
