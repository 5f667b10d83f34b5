"use strict";

const TEXTS = {
  pt: {
    title: "Evolution simulado", instances: "Instâncias", sent: "O que os contatos receberam",
    webhooks: "Webhooks", faults: "Falhas", none: "Nada ainda.", scan: "Ler o QR code",
    number: "número com DDI", profile: "nome do perfil", unpair: "Desparear no celular",
    drop: "Derrubar a conexão", vanish: "Sumir", expire: "Próximo código", limit: "Limite de QR",
    from: "de (número)", text: "mensagem", write: "Escrever como contato", code: "código",
    gone: "O simulador não responde.", other: "English",
    note: "Números terminados em 00000 não existem no WhatsApp. Tudo aqui é simulado.",
  },
  en: {
    title: "Simulated Evolution", instances: "Instances", sent: "What contacts received",
    webhooks: "Webhooks", faults: "Faults", none: "Nothing yet.", scan: "Scan the QR code",
    number: "number with country code", profile: "profile name", unpair: "Unpair on the phone",
    drop: "Drop the connection", vanish: "Vanish", expire: "Next code", limit: "QR limit",
    from: "from (number)", text: "message", write: "Write as a contact", code: "code",
    gone: "The simulator does not answer.", other: "Português",
    note: "Numbers that end in 00000 are not on WhatsApp. Everything here is simulated.",
  },
};
const FAULTS_PT = {
  destructive_race: "criações simultâneas do mesmo nome se destroem (como na Evolution)",
  no_answer_before: "a requisição trava e não tem efeito",
  no_answer_after: "a requisição tem efeito, depois trava",
  error_500_before: "500, sem efeito",
  error_500_after: "tem efeito, depois 500",
  cut_before: "a conexão é cortada, sem efeito",
  cut_after: "tem efeito, depois a conexão é cortada",
  bad_gateway: "502 com uma página HTML, sem efeito",
  error_true: "200 com error: true, sem efeito",
  slow: "as respostas demoram",
  down: "toda conexão é cortada",
  key_rotated: "401 para qualquer chave",
  full: "criar é recusado: Maximum instances reached",
  no_code: "o QR code não vem: count 0",
  vanish_after_create: "a instância some logo depois de criada",
  late_delete: "uma instância apagada demora a sair",
  delete_never_finishes: "uma instância apagada nunca sai",
  open_lies: "diz open, mas nada sai e nada chega",
  lookup_stalls: "a consulta de um número não termina: 500",
  media_unreachable: "a mídia dada por URL não pode ser lida: 500",
  send_unacknowledged: "os envios nunca são confirmados",
  send_refused: "os envios são recusados depois: messages.update ERROR",
  webhook_lost: "os webhooks não saem",
  webhook_duplicated: "cada webhook sai mais de uma vez",
  webhook_reordered: "os webhooks se ultrapassam",
  webhook_delayed: "os webhooks saem atrasados",
};
const INTERVAL = 1500;

let language = localStorage.getItem("language") === "en" ? "en" : "pt";
let shownFaults = "";
const cards = new Map();
const say = (key) => TEXTS[language][key];
const find = (id) => document.getElementById(id);

function element(tag, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

async function call(method, path, body) {
  const answer = await fetch(`/simulator/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  return said;
}

async function act(name, verb, body = {}) {
  try {
    await call("POST", `instances/${encodeURIComponent(name)}/${verb}`, body);
    complain("");
  } catch (trouble) {
    complain(trouble.message);
  }
  await refresh();
}

function complain(text) {
  find("trouble").textContent = text;
  find("trouble").hidden = !text;
}

function button(key, act) {
  const made = element("button", { text: say(key), type: "button" });
  made.addEventListener("click", act);
  return made;
}

function form(key, fields, submit) {
  const inputs = fields.map((field) => element("input", {
    name: field, placeholder: say(field), "aria-label": say(field),
  }));
  const made = element("form", {}, ...inputs, element("button", { text: say(key) }));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(Object.fromEntries(new FormData(made)));
    inputs.at(-1).value = "";
  });
  return made;
}

function card(name) {
  const shown = element("div");
  const pairing = element("div", {},
    form("scan", ["profile", "number"], (body) => act(name, "scan", body)),
    button("expire", () => act(name, "expire-code")), " ",
    button("limit", () => act(name, "qr-limit")));
  const talking = element("div", {},
    form("write", ["from", "text"], (body) => act(name, "receive", body)),
    button("unpair", () => act(name, "unpair")), " ",
    button("drop", () => act(name, "drop")));
  const messages = element("ol");
  const whole = element("article", {}, element("h3", { text: name }), shown, pairing, talking,
    button("vanish", () => act(name, "vanish")), messages);
  return { whole, shown, pairing, talking, messages };
}

function showInstance(instance) {
  if (!cards.has(instance.name)) cards.set(instance.name, card(instance.name));
  const { whole, shown, pairing, talking, messages } = cards.get(instance.name);
  const who = [instance.number, instance.profile].filter(Boolean).join(" · ");
  shown.replaceChildren(
    element("span", { text: instance.state ?? "?", class: `state ${instance.state}` }),
    element("span", { text: ` ${who}` }));
  if (instance.picture) {
    shown.append(element("img", { src: instance.picture, alt: "QR code" }),
      element("span", { text: `${say("code")} ${instance.count}`, class: "quiet" }));
  }
  pairing.hidden = instance.state !== "connecting";
  talking.hidden = instance.state !== "open";
  messages.replaceChildren(...instance.messages.slice().reverse().map(message));
  return whole;
}

function message(said) {
  const arrow = said.from_me ? "→" : "←";
  return element("li", {}, element("span", { text: said.text || said.kind }), " ",
    element("small", { text: `${arrow} ${said.with} · ${said.status ?? ""}` }));
}

function sent(said) {
  return element("li", {}, element("span", { text: said.text || said.kind }), " ",
    element("small", { text: `${said.sender} → ${said.to} · ${said.instance}` }));
}

function delivery(one) {
  const state = one.outcome || "…";
  return element("li", {}, element("span", { text: `${one.event} · ${one.instance}` }), " ",
    element("small", { text: `${state} ${one.statuses.join(" ")}` }));
}

function fault([kind, description], on) {
  const box = element("input", { type: "checkbox" });
  box.checked = kind in on;
  box.addEventListener("change", () => call("PUT", "faults", { [kind]: box.checked }));
  return element("label", {}, box, " ", element("code", { text: kind }), element("span", {
    text: (language === "pt" && FAULTS_PT[kind]) || description, class: "quiet",
  }));
}

function list(id, items) {
  find(id).replaceChildren(...(items.length ? items : [element("li", { text: say("none") })]));
}

function show(state) {
  find("version").textContent = state.version;
  const names = new Set(state.instances.map((instance) => instance.name));
  for (const name of cards.keys()) if (!names.has(name)) cards.delete(name);
  const shown = state.instances.map(showInstance);
  const place = find("instances");
  const same = shown.length === place.children.length
    && shown.every((card, at) => card === place.children[at]);
  if (!same || !shown.length) {
    place.replaceChildren(...(shown.length ? shown : [element("p", { text: say("none") })]));
  }
  list("sent", state.sent.slice(-50).reverse().map(sent));
  list("deliveries", state.deliveries.last.slice().reverse().map(delivery));
  find("outcomes").textContent = Object.entries(state.deliveries.outcomes)
    .map(([outcome, count]) => `${outcome}: ${count}`).join(" · ");
  showFaults(state.faults);
}

function showFaults({ kinds, on }) {
  const now = JSON.stringify(on);
  if (now === shownFaults) return;
  shownFaults = now;
  find("faults").replaceChildren(...Object.entries(kinds).map((kind) => fault(kind, on)));
}

async function refresh() {
  try {
    show(await call("GET", "state"));
  } catch {
    complain(say("gone"));
  }
}

function translate() {
  document.documentElement.lang = language === "pt" ? "pt-BR" : "en";
  document.title = say("title");
  for (const place of document.querySelectorAll("[data-text]")) {
    place.textContent = say(place.dataset.text);
  }
  find("language").textContent = say("other");
  cards.clear();
  shownFaults = "";
  find("instances").replaceChildren();
}

find("language").addEventListener("click", () => {
  language = language === "pt" ? "en" : "pt";
  localStorage.setItem("language", language);
  translate();
  refresh();
});
translate();
refresh();
setInterval(refresh, INTERVAL);
