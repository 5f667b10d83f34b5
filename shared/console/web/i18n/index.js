// What the console says, in the person's language. `t("lines.title")` in a component follows a change.

import { apart } from "../direction.js";
import { signal } from "../lib.js";
import { remember, remembered } from "../memory.js";

export const LANGUAGES = { pt: "pt-BR", en: "en" };

/** "pt" or "en". */
export const language = signal(first());
/** What Intl and the lang attribute call it. */
export const locale = () => LANGUAGES[language.value];

const said = { pt: {}, en: {} };
const wanted = new Set();

/** The view's words can be said from now on, in the language of now and of later. */
export async function speak(view) {
  wanted.add(view);
  await read(view, language.value);
}

/** The console speaks that language, also the next time. */
export async function chooseLanguage(chosen) {
  await Promise.all([...wanted].map((view) => read(view, chosen)));
  remember("language", chosen);
  language.value = chosen;
  document.documentElement.lang = locale();
}

/**
 * The sentence of that name. `{name}` in it is replaced, numbers as the language writes them, words so that they
 * turn nothing around them; where
 * the dictionary has {one, other}, `n` decides.
 */
export function t(name, values = {}) {
  const found = find(name, language.value);
  if (found === undefined) {
    console.error(`i18n: nothing says ${name}`);
    return name;
  }
  const sentence = typeof found === "string" ? found : (found[plural(values.n)] ?? found.other);
  return sentence.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? shown(values[key]) : whole));
}

/** Whether there is such a sentence: for words that come from the functions. */
export const has = (name) => find(name, language.value) !== undefined;

function find(name, which) {
  return name.split(".").reduce((at, key) => (at && Object.hasOwn(at, key) ? at[key] : undefined), said[which]);
}

async function read(view, which) {
  said[which][view] ??= (await import(`./${view}.${which}.js`)).default;
}

const plural = (n) => new Intl.PluralRules(locale()).select(n ?? 0);
const shown = (value) => (typeof value === "number" ? new Intl.NumberFormat(locale()).format(value) : apart(value));

function first() {
  const chosen = remembered("language");
  if (chosen in LANGUAGES) return chosen;
  const spoken = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2));
  return spoken.find((tag) => tag in LANGUAGES) ?? "pt";
}
