// Translate the console's sentences. `t("lines.title")` in a component follows a change of language.

import { apart } from "../direction.js";
import { signal } from "../lib.js";
import { remember, recall } from "../memory.js";

export const LANGUAGES = { pt: "pt-BR", en: "en" };

/** The language: "pt" or "en". */
export const language = signal(first());
/** Return the language's name for Intl and the lang attribute. */
export const locale = () => LANGUAGES[language.value];

const dictionaries = { pt: {}, en: {} };
const views = new Set();

/** Load a view's dictionary, in the current language and in any chosen later. */
export async function speak(view) {
  views.add(view);
  await read(view, language.value);
}

/** Change the language, and remember it for the next visit. */
export async function chooseLanguage(code) {
  await Promise.all([...views].map((view) => read(view, code)));
  remember("language", code);
  language.value = code;
  document.documentElement.lang = locale();
}

/**
 * Return the sentence of a name, with each `{name}` replaced: numbers in the language's format, words isolated from the
 * reading direction around them. Where the dictionary has {one, other} or {zero, one, other}, `n` decides.
 */
export function t(name, values = {}) {
  const entry = find(name, language.value);
  if (entry === undefined) {
    console.error(`i18n: nothing says ${name}`);
    return name;
  }
  const sentence = typeof entry === "string" ? entry : (entry[plural(values.n ?? 0)] ?? entry.other);
  return sentence.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? formatValue(values[key]) : whole));
}

/** Tell whether there is a sentence of that name, for words that come from the functions. */
export const has = (name) => find(name, language.value) !== undefined;

function find(name, which) {
  return name.split(".").reduce((at, key) => (at && Object.hasOwn(at, key) ? at[key] : undefined), dictionaries[which]);
}

async function read(view, which) {
  dictionaries[which][view] ??= (await import(`./${view}.${which}.js`)).default;
}

/** Choose the plural; Portuguese counts 0 as one ("0 linha"), which nobody says. */
const plural = (n) => (n === 0 ? "zero" : new Intl.PluralRules(locale()).select(n));
const formatValue = (value) => (typeof value === "number" ? new Intl.NumberFormat(locale()).format(value) : apart(value));

function first() {
  const chosen = recall("language");
  if (chosen in LANGUAGES) return chosen;
  const preferred = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2));
  return preferred.find((tag) => tag in LANGUAGES) ?? "pt";
}
