// Put the fleet's ids, causes and numbers into words.

import { now } from "../../clock.js";
import { formatCount, formatMoment, formatTime } from "../../format.js";
import { has, t } from "../../i18n/index.js";

/** Translate a name of that kind, or return it as the function wrote it. */
export const word = (kind, name, values) => (has(`${kind}.${name}`) ? t(`${kind}.${name}`, values) : String(name));

/** The subject of what is about no server and no client. */
export const FLEET = "fleet";

/** Describe a trouble in the console's language; `servers` say how full they are. */
export function causeOf({ cause, subject, count, sentence, address }, servers = []) {
  if (!has(`fleet.causes.${cause}`)) return sentence;
  const server = servers.find((candidate) => candidate.server === subject);
  if (!server && cause.startsWith("server_f")) return sentence;
  const slots = server ? { used: used(server), limit: server.limit } : {};
  if (subject === FLEET && cause.startsWith("endpoints_")) return sentence;
  if (!address && cause === "server_not_licensed") return sentence ?? subject;
  return t(`fleet.causes.${cause}`, { subject, n: count, address, kind: word("fleet.kinds", subject), ...slots });
}

/** Count the used slots of a server: reserved ones, or more if unreserved instances occupy it. */
export const used = ({ reserved, census }) => Math.max(reserved, ours(census));
export const share = (server) => (server.limit ? used(server) / server.limit : 1);

const ours = (census) => (census ? census.open + census.pairing + census.closed + census.never_paired + census.quarantined : 0);

/** Write how long something took or takes: "2 dias", "3 h 5 min". */
export function span(from, to = now()) {
  const minutes = Math.max(0, Math.round((new Date(to) - new Date(from)) / 60_000));
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  const parts = [days && t("fleet.span.days", { n: days }), hours && t("fleet.span.hours", { n: hours })];
  if (!days && rest) parts.push(t("fleet.span.minutes", { n: rest }));
  return parts.filter(Boolean).join(" ") || t("fleet.span.moment");
}

/** Write the time of today, else day and time. */
export const moment = (when) =>
  new Date(when).toDateString() === new Date().toDateString() ? formatTime(when) : formatMoment(when);

/** Describe when the server will be full, and how sure that is: [sentence, uncertainty]. */
export function forecastOf(forecast) {
  const { trend, days, earliest, latest } = forecast ?? {};
  const isKnown = (value) => value !== undefined && value !== null;
  if (!trend) return [t("fleet.forecast.unknown"), ""];
  if (!isKnown(days)) return [t("fleet.forecast.never"), isKnown(earliest) ? t("fleet.forecast.earliest", { low: earliest }) : ""];
  if (days === 0) return [t("fleet.forecast.now"), ""];
  const sure = isKnown(latest)
    ? t("fleet.forecast.between", { low: earliest ?? days, high: latest })
    : t("fleet.forecast.not_before", { low: earliest ?? days });
  return [t("fleet.forecast.days", { n: days }), sure];
}

export const signed = (number) => formatCount(number, { signDisplay: "exceptZero", maximumFractionDigits: 1 });

/** Describe what a run did, without the counts that are 0. */
export const countsOf = (counts) =>
  Object.entries(counts)
    .filter(([, n]) => n)
    .map(([what, n]) => (has(`fleet.counts.${what}`) ? t(`fleet.counts.${what}`, { n }) : `${what}: ${formatCount(n)}`));
