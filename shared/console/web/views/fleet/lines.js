// Load the fleet's lines page by page, searched and filtered by the server. They stay loaded while the person is elsewhere.

import { signal } from "../../lib.js";
import { api } from "../../api.js";
import { now } from "../../clock.js";
import { locale } from "../../i18n/index.js";

const PAGE = 100;
const LONGEST_PAGE = 500;
const OFF = ["closed", "conflict", "missing", "pairing", "creating", "releasing"];

export const COLUMNS = ["label", "tenant", "number", "state", "server", "since"];

/** The order in which the server lists lines; any other needs all of them. */
export const SERVERS_ORDER = "tenant";

const NOTHING = { lines: [], total: null, at: null, rest: [], busy: false, error: null };

/** The lines loaded so far. at: when loading began; rest: the queries that bring more; total: how many there are, if that is known. */
export const fleetLines = signal({ key: "", ...NOTHING });

let running = null;

/** Tell whether a line isn't connected. */
export const isOff = (line) => line.state !== "open";

/** List the queries that bring the lines of these filters: what isn't connected is asked for state by state. */
export function queriesOf({ text, state, server, tenant }) {
  const query = { search: text.trim(), server, tenant };
  return state === "off" ? OFF.map((one) => ({ ...query, state: one })) : [{ ...query, state }];
}

/** Load the first page of these filters; with `all` the others too. What is shown of the same filters stays until then. */
export async function load(filters, { all } = {}) {
  const queries = queriesOf(filters);
  const key = JSON.stringify(queries);
  const before = fleetLines.value;
  fleetLines.value = { ...NOTHING, key, at: new Date(now()), rest: queries, lines: before.key === key ? before.lines : [] };
  await loadPage(true);
  while (all && fleetLines.value.key === key && fleetLines.value.rest.length && !fleetLines.value.error) await loadPage(false, LONGEST_PAGE);
}

/** Load the next page, unless one is coming. */
export const loadMore = () => !fleetLines.value.busy && fleetLines.value.rest.length > 0 && loadPage(false);

async function loadPage(isFirst, limit = PAGE) {
  if (isFirst) running?.abort();
  const { signal } = (running = new AbortController());
  const { rest, total } = fleetLines.value;
  fleetLines.value = { ...fleetLines.value, busy: true, error: null };
  try {
    const { data } = await api.get("fleet/instances", { query: { ...rest[0], limit }, signal });
    const following = data.next ? [{ ...rest[0], cursor: data.next }, ...rest.slice(1)] : rest.slice(1);
    const lines = isFirst ? data.instances : [...fleetLines.value.lines, ...data.instances];
    fleetLines.value = { ...fleetLines.value, lines, rest: following, total: total ?? (rest.length === 1 ? (data.total ?? null) : null), busy: false };
    if (!lines.length && following.length) await loadPage(false, LONGEST_PAGE); // a page of a search may be empty
  } catch (error) {
    if (error.kind !== "aborted") fleetLines.value = { ...fleetLines.value, busy: false, error };
  }
}

/** Sort lines by a column, or leave them in the server's order. */
export function sortLines(lines, { sort, down }) {
  if (sort === SERVERS_ORDER && !down) return lines;
  const collator = new Intl.Collator(locale(), { numeric: true, sensitivity: "base" });
  const direction = down ? -1 : 1;
  const by = {
    since: (one, other) => (one.since < other.since ? -1 : one.since > other.since ? 1 : 0),
    number: (one, other) => !one.number - !other.number || collator.compare(one.number ?? "", other.number ?? ""),
  };
  const compare = by[sort] ?? ((one, other) => collator.compare(one[sort], other[sort]));
  return [...lines].sort((one, other) => direction * compare(one, other) || collator.compare(one.instance, other.instance));
}
