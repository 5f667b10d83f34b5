// Build elements, call the server, show errors. Every text is put in as text, never as markup.

import { label, translate } from "./words.js";

export const find = (id) => document.getElementById(id);

export function element(tag, { text, ...attributes } = {}, ...children) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export class RequestError extends Error {
  constructor(why, detail) {
    super(translate(why, detail));
  }
}

export async function call(method, path, body) {
  const answer = await fetch(`/simulator/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => {
    throw new RequestError("gone");
  });
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new RequestError(result.why, result.detail ?? `HTTP ${answer.status}`);
  return result;
}

// Run `act` once for a pressed control; if it fails, `place` beside the control shows the reason.
export async function attempt(place, act, control) {
  if (control.ariaBusy === "true") return false;
  control.ariaBusy = "true";
  try {
    await act();
    setText(place, "");
    return true;
  } catch (error) {
    setText(place, error.message);
    return false;
  } finally {
    control.ariaBusy = "false";
    document.dispatchEvent(new Event("acted"));
  }
}

export function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

export const errorPlace = () =>
  element("p", { class: "trouble", role: "status", "aria-live": "polite" });

export function button(key, act, look = "") {
  const node = element("button", { text: label(key), type: "button", class: look });
  node.addEventListener("click", () => act(node));
  return node;
}

// Build a form of fields `{ name, missing, ...attributes }`; a field with `missing` is required.
export function form(key, fields, submit) {
  const place = errorPlace();
  const inputs = fields.map(({ missing, ...attributes }) => {
    const input = element("input", { autocomplete: "off", ...attributes });
    input.required = Boolean(missing);
    return input;
  });
  const labels = inputs.map((input) =>
    element("label", {}, element("span", { text: label(input.name) }), input));
  const submitButton = element("button", { text: label(key), class: "main" });
  const node = element("form", { novalidate: "" }, ...labels, submitButton, place);
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    const missingAt = inputs.findIndex((input) => input.required && !input.value.trim());
    if (missingAt >= 0) {
      setText(place, translate(fields[missingAt].missing));
      inputs[missingAt].focus();
      return;
    }
    const success = await attempt(
      place, () => submit(Object.fromEntries(new FormData(node))), submitButton);
    if (success && node.elements.text) node.elements.text.value = "";
  });
  return node;
}

const listed = new WeakMap();

// Show the items in `place`; leave it alone if they are the same as before.
export function list(place, items, row) {
  const content = JSON.stringify(items);
  if (listed.get(place) === content) return;
  listed.set(place, content);
  const empty = element("li", { text: label("none"), class: "quiet" });
  const rows = items.length ? items.map(row) : [empty];
  place.replaceChildren(...rows);
}

export const forgetList = (place) => listed.delete(place);
