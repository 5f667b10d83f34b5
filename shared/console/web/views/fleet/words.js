// What the fleet's ids, causes and numbers are in words.

import { now } from "../../clock.js";
import { formatCount, formatMoment, formatTime } from "../../format.js";
import { has, t } from "../../i18n/index.js";

/** The word of that kind, or else what the function said. */
export const word = (kind, name, values) => (has(`${kind}.${name}`) ? t(`${kind}.${name}`, values) : String(name));

/** A trouble in the console's language; `servers` say how full they are. */
export function causeOf({ cause, subject, count, sentence, address }, servers = []) {
  if (!has(`fleet.causes.${cause}`)) return sentence;
  const server = servers.find((each) => each.server === subject);
  if (!server && cause.startsWith("server_f")) return sentence;
  const taken = server ? { used: used(server), limit: server.limit } : {};
  if (!address && cause === "server_not_licensed") return sentence ?? subject;
  return t(`fleet.causes.${cause}`, { subject, n: count, address, kind: word("fleet.kinds", subject), ...taken });
}

/** How many slots of a server are taken: reserved now, or occupied by what nobody reserved. */
export const used = ({ reserved, census }) => Math.max(reserved, ours(census));
export const share = (server) => (server.limit ? used(server) / server.limit : 1);

const ours = (census) => (census ? census.open + census.pairing + census.closed + census.never_paired + census.quarantined : 0);

/** "2 dias", "3 h 5 min": how long something took or takes. */
export function span(from, to = now()) {
  const minutes = Math.max(0, Math.round((new Date(to) - new Date(from)) / 60_000));
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  const parts = [days && t("fleet.span.days", { n: days }), hours && t("fleet.span.hours", { n: hours })];
  if (!days && rest) parts.push(t("fleet.span.minutes", { n: rest }));
  return parts.filter(Boolean).join(" ") || t("fleet.span.moment");
}

/** The time of today, else day and time. */
export const moment = (when) =>
  new Date(when).toDateString() === new Date().toDateString() ? formatTime(when) : formatMoment(when);

/** When it will be full, and how sure that is: [sentence, uncertainty]. */
export function forecastOf(forecast) {
  const { trend, days, earliest, latest } = forecast ?? {};
  const known = (value) => value !== undefined && value !== null;
  if (!trend) return [t("fleet.forecast.unknown"), ""];
  if (!known(days)) return [t("fleet.forecast.never"), known(earliest) ? t("fleet.forecast.earliest", { low: earliest }) : ""];
  if (days === 0) return [t("fleet.forecast.now"), ""];
  const sure = known(latest)
    ? t("fleet.forecast.between", { low: earliest ?? days, high: latest })
    : t("fleet.forecast.not_before", { low: earliest ?? days });
  return [t("fleet.forecast.days", { n: days }), sure];
}

export const signed = (number) => formatCount(number, { signDisplay: "exceptZero", maximumFractionDigits: 1 });

/** What a run did, in words; nothing is left out that isn't nothing. */
export const countsOf = (counts) =>
  Object.entries(counts)
    .filter(([, n]) => n)
    .map(([what, n]) => (has(`fleet.counts.${what}`) ? t(`fleet.counts.${what}`, { n }) : `${what}: ${formatCount(n)}`));
