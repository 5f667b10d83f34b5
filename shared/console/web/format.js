// Write numbers, times and sizes as people do, in the console's language.

import { straight } from "./direction.js";
import { locale, t } from "./i18n/index.js";

const formatters = new Map();

function intl(kind, options = {}) {
  const key = kind + locale() + JSON.stringify(options);
  if (!formatters.has(key)) formatters.set(key, new Intl[kind](locale(), options));
  return formatters.get(key);
}

export const formatCount = (n, options) => intl("NumberFormat", options).format(n);
export const formatPercent = (share) => formatCount(share, { style: "percent", maximumFractionDigits: 0 });
export const formatDate = (when) => intl("DateTimeFormat", { dateStyle: "medium" }).format(date(when));
export const formatTime = (when) => intl("DateTimeFormat", { timeStyle: "short" }).format(date(when));
export const formatMoment = (when) =>
  intl("DateTimeFormat", { dateStyle: "medium", timeStyle: "short" }).format(date(when));

/** Write a day for a divider: "hoje", "ontem", a weekday within the week, else the date. */
export function formatDay(when, now = new Date()) {
  const days = Math.round((midnight(now) - midnight(date(when))) / 86_400_000);
  if (days === 0 || days === 1) return intl("RelativeTimeFormat", { numeric: "auto" }).format(-days, "day");
  if (days > 1 && days < 7) return intl("DateTimeFormat", { weekday: "long" }).format(date(when));
  return intl("DateTimeFormat", { dateStyle: "long" }).format(date(when));
}

/** Write when something was, in a list's column: "14:03", "ontem", "qui.", "12/11", "12/11/2024". */
export function formatCompact(when, now = new Date()) {
  const at = date(when);
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (days <= 0) return formatTime(at);
  if (days === 1) return formatDay(at, now);
  if (days < 7) return intl("DateTimeFormat", { weekday: "short" }).format(at);
  if (at.getFullYear() !== now.getFullYear()) return intl("DateTimeFormat", { dateStyle: "short" }).format(at);
  return intl("DateTimeFormat", locale() === "en" ? { day: "numeric", month: "short" } : { day: "2-digit", month: "2-digit" }).format(at);
}

/** Write since when something is so: "14:03" of today, "ontem, 14:03", else the date with the time. */
export function formatSince(when, now = new Date()) {
  const days = Math.round((midnight(now) - midnight(date(when))) / 86_400_000);
  return days <= 0 ? formatTime(when) : `${formatCompact(when, now)}, ${formatTime(when)}`;
}

const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** Write how long ago or ahead: "há 3 h", "ontem", "há 1 semana", "in 2 days"; "agora" within the minute. */
export function formatAgo(when, now = Date.now()) {
  const seconds = Math.round((date(when) - now) / 1000);
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 0];
  const amount = size ? Math.trunc(seconds / size) : 0;
  const numeric = ["second", "day"].includes(unit) ? "auto" : "always"; // not "semana passada" without "na"
  const style = ["week", "month", "year"].includes(unit) ? "long" : "short";
  return intl("RelativeTimeFormat", { numeric, style }).format(amount, unit);
}

export function formatBytes(bytes) {
  const unit = bytes >= 1e9 ? "gigabyte" : bytes >= 1_000_000 ? "megabyte" : bytes >= 1000 ? "kilobyte" : "byte";
  const size = { gigabyte: 1e9, megabyte: 1_000_000, kilobyte: 1000, byte: 1 }[unit];
  return formatCount(bytes / size, { style: "unit", unit, maximumFractionDigits: 1 });
}

/** Write a length in seconds: 65 is 1:05. */
export const formatLength = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Write an amount in a currency's minor unit: {amount: 1990, currency: "BRL"} is R$ 19,90. */
export function formatMoney({ amount, currency }) {
  if (!/^[A-Z]{3}$/.test(currency)) return `${formatCount(amount / 100)} ${currency}`;
  const format = intl("NumberFormat", { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

const ONE_DIGIT = /^[17]/;
const TWO_DIGITS = /^(2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

/** Write a number: (11) 98888-7777 for Brazil, +351 912 345 678 for others; anything else stays as it is. */
export function formatNumber(number) {
  const digits = String(number ?? "").replace(/^\+/, "");
  if (!/^\d{6,17}$/.test(digits)) return String(number ?? "");
  const brazil = /^55([1-9]\d)(\d{4,5})(\d{4})$/.exec(digits);
  if (brazil) return `(${brazil[1]}) ${brazil[2]}-${brazil[3]}`;
  const america = /^1(\d{3})(\d{3})(\d{4})$/.exec(digits);
  if (america) return `+1 ${america[1]} ${america[2]}-${america[3]}`;
  const code = ONE_DIGIT.test(digits) ? 1 : TWO_DIGITS.test(digits) ? 2 : 3;
  return `+${digits.slice(0, code)} ${groupDigits(digits.slice(code))}`;
}

function groupDigits(rest) {
  const parts = [];
  while (rest.length > 4) {
    parts.push(rest.slice(0, 3));
    rest = rest.slice(3);
  }
  return [...parts, rest].join(" ");
}

/** Return a line's name; the default line may have none. */
export const lineName = ({ line = "default", label }) =>
  line === "default" && (!label || label === line) ? t("shell.mainLine") : straight(label) || line;

/** Return the initials of the first two words of a name or an address. */
export const initials = (name) =>
  String(name)
    .split(/[\s@.]+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0].toLocaleUpperCase())
    .join("");

export const HUES = 10;

/** Choose one of ten colours, always the same for the same words. */
export function hue(words) {
  let sum = 2166136261;
  for (const character of String(words)) sum = Math.imul(sum ^ character.codePointAt(0), 16777619);
  return (sum >>> 0) % HUES;
}

const date = (when) => (when instanceof Date ? when : new Date(when));
const midnight = (when) => new Date(when.getFullYear(), when.getMonth(), when.getDate());

