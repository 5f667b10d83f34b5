// What every part of the page is made of. Whatever is shown is put in as text.

import { say, theirs } from "./words.js";

export const find = (id) => document.getElementById(id);

export function element(tag, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export class Trouble extends Error {
  constructor(why, detail) {
    super(theirs(why, detail));
  }
}

export async function call(method, path, body) {
  const answer = await fetch(`/simulator/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => {
    throw new Trouble("gone");
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Trouble(said.why, said.detail ?? `HTTP ${answer.status}`);
  return said;
}

// What the person asked for by what was pressed; if it fails, `place` beside it says why.
export async function attempt(place, act, pressed) {
  if (pressed.ariaBusy === "true") return false;
  pressed.ariaBusy = "true";
  try {
    await act();
    tell(place, "");
    return true;
  } catch (trouble) {
    tell(place, trouble.message);
    return false;
  } finally {
    pressed.ariaBusy = "false";
    document.dispatchEvent(new Event("acted"));
  }
}

export function tell(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

export const trouble = () =>
  element("p", { class: "trouble", role: "status", "aria-live": "polite" });

export function button(key, act, look = "") {
  const made = element("button", { text: say(key), type: "button", class: look });
  made.addEventListener("click", () => act(made));
  return made;
}

// A form whose fields are `{ name, missing, ...attributes }`; one with `missing` is required.
export function form(key, fields, submit) {
  const place = trouble();
  const inputs = fields.map(({ missing, ...attributes }) => {
    const input = element("input", { autocomplete: "off", ...attributes });
    input.required = Boolean(missing);
    return input;
  });
  const labels = inputs.map((input) =>
    element("label", {}, element("span", { text: say(input.name) }), input));
  const press = element("button", { text: say(key), class: "main" });
  const made = element("form", { novalidate: "" }, ...labels, press, place);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    const lacking = inputs.findIndex((input) => input.required && !input.value.trim());
    if (lacking >= 0) {
      tell(place, theirs(fields[lacking].missing));
      inputs[lacking].focus();
      return;
    }
    const done = await attempt(
      place, () => submit(Object.fromEntries(new FormData(made))), press);
    if (done && made.elements.text) made.elements.text.value = "";
  });
  return made;
}

const shown = new WeakMap();

// The items are in their place; if they are the same as before, nothing is touched.
export function list(place, items, row) {
  const now = JSON.stringify(items);
  if (shown.get(place) === now) return;
  shown.set(place, now);
  const rows = items.length ? items.map(row) : [element("li", { text: say("none"), class: "quiet" })];
  place.replaceChildren(...rows);
}

export const forget = (place) => shown.delete(place);
