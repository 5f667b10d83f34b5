// The page: looks at the server once a second, and shows what it sees.

import { Card, address, content } from "./card.js";
import { forgetFaults, showFaults } from "./faults.js";
import { attempt, call, tell, element, find, forget, list } from "./parts.js";
import { clock, locale, say, switchLanguage, theirs } from "./words.js";

const INTERVAL = 1000;
const cards = new Map();
let looking = null;

function show(state) {
  tell(find("version"), state.version);
  showInstances(state.instances);
  showProduct(state.instances);
  list(find("sent"), state.sent.slice(-50).reverse(), sent);
  list(find("deliveries"), state.deliveries.last.slice().reverse(), delivery);
  tell(find("outcomes"), Object.entries(state.deliveries.outcomes)
    .map(([outcome, count]) => `${theirs(outcome)}: ${count}`).join(" · "));
  showFaults(state.faults);
}

function showInstances(instances) {
  const names = new Set(instances.map((instance) => instance.name));
  for (const name of cards.keys()) if (!names.has(name)) cards.delete(name);
  const shown = instances.map((instance) => {
    if (!cards.has(instance.name)) cards.set(instance.name, new Card(instance.name));
    const card = cards.get(instance.name);
    card.show(instance);
    return card.whole;
  });
  const place = find("instances");
  const same = shown.length === place.children.length
    && shown.every((card, at) => card === place.children[at]);
  if (!same) place.replaceChildren(...shown);
  find("nobody").hidden = shown.length > 0;
}

// Where the webhooks go is where the product is.
function showProduct(instances) {
  const urls = instances.map(({ webhook }) => (webhook && URL.canParse(webhook)
    ? new URL(webhook) : null));
  const url = urls.find((each) => each && ["http:", "https:"].includes(each.protocol));
  find("product").hidden = !url;
  if (url && find("product").href !== `${url.origin}/`) find("product").href = `${url.origin}/`;
}

function sent(said) {
  const about = [`${say("to")} ${address(said.to)}`, `${say("through")} ${said.instance}`,
    clock(said.at)];
  return element("li", {}, element("span", { text: content(said) }),
    element("small", { text: about.join(" · ") }));
}

function delivery(one) {
  const tries = one.statuses.map((status) => status || say("unanswered")).join(", ");
  const outcome = one.outcome || (one.statuses.length ? "retrying" : "pending");
  const mood = { delivered: "good", "given up": "bad", lost: "bad" }[outcome] ?? "";
  const about = [one.instance, one.said && theirs(one.said)].filter(Boolean).join(" · ");
  return element("li", { class: "delivery" },
    element("time", { text: clock(one.at) }),
    element("span", {}, element("code", { text: one.event }), element("small", { text: about })),
    element("span", { class: `outcome ${mood}`, text: theirs(outcome) },
      element("small", { text: tries })));
}

// What was wrong is not wrong any more; `#gone`, the first on the page, is compared with last.
function calmDown(settled) {
  const places = [...document.querySelectorAll(".trouble")].reverse();
  for (const place of places) if (settled(place)) tell(place, "");
}

async function refresh() {
  clearTimeout(looking);
  try {
    if (!document.hidden) show(await call("GET", "state"));
    calmDown(({ textContent }) => textContent === find("gone").textContent);
  } catch (trouble) {
    tell(find("gone"), trouble.message);
  }
  clearTimeout(looking);
  looking = setTimeout(refresh, INTERVAL);
}

function translate() {
  document.documentElement.lang = locale();
  document.title = say("title");
  for (const place of document.querySelectorAll("[data-text]")) {
    place.textContent = say(place.dataset.text);
  }
  calmDown(() => true);
  find("language").textContent = say("other");
  cards.clear();
  find("instances").replaceChildren();
  forget(find("sent"));
  forget(find("deliveries"));
  forgetFaults();
}

find("language").addEventListener("click", () => {
  switchLanguage();
  translate();
  refresh();
});
find("reset").addEventListener("click", () => {
  if (!window.confirm(say("certain"))) return;
  attempt(find("reset-trouble"), () => call("POST", "reset"), find("reset"));
});
document.addEventListener("acted", refresh);
document.addEventListener("visibilitychange", refresh);
translate();
refresh();
