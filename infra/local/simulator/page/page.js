// The page: fetch the server's state once a second and show it.

import { Card, address, content } from "./card.js";
import { forgetFaults, showFaults } from "./faults.js";
import { attempt, call, setText, element, find, forgetList, list } from "./parts.js";
import { clock, locale, label, switchLanguage, translate } from "./words.js";

const INTERVAL = 1000;
const cards = new Map();
let timer = null;

function show(state) {
  setText(find("version"), state.version);
  showInstances(state.instances);
  showProduct(state.instances);
  list(find("sent"), state.sent.slice(-50).reverse(), sentRow);
  list(find("deliveries"), state.deliveries.last.slice().reverse(), deliveryRow);
  setText(find("outcomes"), Object.entries(state.deliveries.outcomes)
    .map(([outcome, count]) => `${translate(outcome)}: ${count}`).join(" · "));
  showFaults(state.faults);
}

function showInstances(instances) {
  const names = new Set(instances.map((instance) => instance.name));
  for (const name of cards.keys()) if (!names.has(name)) cards.delete(name);
  const articles = instances.map((instance) => {
    if (!cards.has(instance.name)) cards.set(instance.name, new Card(instance.name));
    const card = cards.get(instance.name);
    card.show(instance);
    return card.article;
  });
  const place = find("instances");
  const isUnchanged = articles.length === place.children.length
    && articles.every((card, at) => card === place.children[at]);
  if (!isUnchanged) place.replaceChildren(...articles);
  find("nobody").hidden = articles.length > 0;
}

// Link to the product: it is where the webhooks go.
function showProduct(instances) {
  const urls = instances.map(({ webhook }) => (webhook && URL.canParse(webhook)
    ? new URL(webhook) : null));
  const url = urls.find((target) => target && ["http:", "https:"].includes(target.protocol));
  find("product").hidden = !url;
  if (url && find("product").href !== `${url.origin}/`) find("product").href = `${url.origin}/`;
}

function sentRow(message) {
  const about = [`${label("to")} ${address(message.to)}`, `${label("through")} ${message.instance}`,
    clock(message.at)];
  return element("li", {}, element("span", { text: content(message) }),
    element("small", { text: about.join(" · ") }));
}

function deliveryRow(delivery) {
  const tries = delivery.statuses.map((status) => status || label("unanswered")).join(", ");
  const outcome = delivery.outcome || (delivery.statuses.length ? "retrying" : "pending");
  const mood = { delivered: "good", "given up": "bad", lost: "bad" }[outcome] ?? "";
  const about = [delivery.instance, delivery.said && translate(delivery.said)]
    .filter(Boolean).join(" · ");
  return element("li", { class: "delivery" },
    element("time", { text: clock(delivery.at) }),
    element("span", {}, element("code", { text: delivery.event }),
      element("small", { text: about })),
    element("span", { class: `outcome ${mood}`, text: translate(outcome) },
      element("small", { text: tries })));
}

// Clear the errors that are over. `#gone`, the first on the page, must be cleared last: the others
// are compared with its text.
function clearErrors(isOver) {
  const places = [...document.querySelectorAll(".trouble")].reverse();
  for (const place of places) if (isOver(place)) setText(place, "");
}

async function refresh() {
  clearTimeout(timer);
  try {
    if (!document.hidden) show(await call("GET", "state"));
    clearErrors(({ textContent }) => textContent === find("gone").textContent);
  } catch (error) {
    setText(find("gone"), error.message);
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, INTERVAL);
}

function showLanguage() {
  document.documentElement.lang = locale();
  document.title = label("title");
  for (const place of document.querySelectorAll("[data-text]")) {
    place.textContent = label(place.dataset.text);
  }
  clearErrors(() => true);
  find("language").textContent = label("other");
  cards.clear();
  find("instances").replaceChildren();
  forgetList(find("sent"));
  forgetList(find("deliveries"));
  forgetFaults();
}

find("language").addEventListener("click", () => {
  switchLanguage();
  showLanguage();
  refresh();
});
find("reset").addEventListener("click", () => {
  if (!window.confirm(label("certain"))) return;
  attempt(find("reset-trouble"), () => call("POST", "reset"), find("reset"));
});
document.addEventListener("acted", refresh);
document.addEventListener("visibilitychange", refresh);
showLanguage();
refresh();
