// The switches of faults, grouped by what they break.

import { attempt, call, setText, element, find } from "./parts.js";
import { locale, label } from "./words.js";

const ALWAYS = "destructive_race";
const GROUPS = {
  connection: ["Conexão e respostas", "Connection and answers"],
  lives: ["Criar e apagar", "Create and delete"],
  sending: ["Envio", "Sending"],
  webhooks: ["Webhooks", "Webhooks"],
};
const FAULTS = {
  connection: {
    down: "toda conexão é cortada",
    slow: "as respostas demoram",
    key_rotated: "401 para qualquer chave",
    no_answer_before: "a requisição trava, sem efeito",
    no_answer_after: "a requisição tem efeito, depois trava",
    error_500_before: "500, sem efeito",
    error_500_after: "tem efeito, depois 500",
    cut_before: "a conexão é cortada, sem efeito",
    cut_after: "tem efeito, depois a conexão é cortada",
    bad_gateway: "502 com uma página HTML, sem efeito",
    error_true: "200 com error: true, sem efeito",
    no_code: "o QR code não vem: count 0",
    open_lies: "diz open, mas nada sai e nada chega",
  },
  lives: {
    destructive_race: "criações simultâneas do mesmo nome se destroem, como na Evolution de verdade",
    full: "criar é recusado: Maximum instances reached",
    vanish_after_create: "a instância some logo depois de criada",
    late_delete: "uma instância apagada demora a sair",
    delete_never_finishes: "uma instância apagada nunca sai",
  },
  sending: {
    lookup_stalls: "a consulta de um número não termina: 500 depois de um minuto",
    media_unreachable: "a mídia dada por URL não pode ser lida: 500",
    upload_fails: "a mídia não pode ser enviada ao WhatsApp: 500",
    group_not_found: "um grupo desconhecido é dito como um número fora do WhatsApp",
    send_unacknowledged: "os envios nunca são confirmados",
    send_refused: "os envios são recusados depois: messages.update ERROR",
  },
  webhooks: {
    webhook_lost: "os webhooks não saem",
    webhook_duplicated: "cada webhook sai mais de uma vez",
    webhook_reordered: "os webhooks se ultrapassam",
    webhook_delayed: "os webhooks saem atrasados",
  },
};

const rows = new Map();

// Drop the switches; the next `showFaults` builds them in the language of that moment.
export function forgetFaults() {
  rows.clear();
  find("faults").replaceChildren();
}

export function showFaults({ kinds, on, defaults }) {
  if (!rows.size) build(kinds);
  for (const [kind, { box, settings }] of rows) {
    if (box.ariaBusy !== "true") box.checked = kind in on;
    setText(settings, parameters(on[kind] ?? defaults[kind] ?? {}));
  }
  const broken = Object.keys(on).filter((kind) => kind !== ALWAYS);
  const summary = broken.length ? `${label("some_on")} ${broken.join(", ")}` : label("all_off");
  setText(find("on"), summary);
  find("on").classList.toggle("loud", broken.length > 0);
}

function build(kinds) {
  const portuguese = locale() === "pt-BR";
  const groups = Object.entries(FAULTS).map(([group, faults]) =>
    element("fieldset", {}, element("legend", { text: GROUPS[group][portuguese ? 0 : 1] }),
      ...Object.entries(faults).filter(([kind]) => kind in kinds)
        .map(([kind, text]) => fault(kind, portuguese ? text : kinds[kind]))));
  find("faults").replaceChildren(...groups);
}

function fault(kind, text) {
  const box = element("input", { type: "checkbox" });
  const settings = element("small");
  box.addEventListener("change", async () => {
    const isOn = box.checked;
    const flip = () => call("PUT", "faults", { [kind]: isOn });
    if (!await attempt(find("faults-trouble"), flip, box)) box.checked = !isOn;
  });
  rows.set(kind, { box, settings });
  return element("label", {}, box,
    element("span", {}, element("span", { text }),
      element("span", { class: "about" }, element("code", { text: kind }), settings)));
}

function parameters({ names, route, events, milliseconds, seconds, times, limit, ...more }) {
  const narrow = (pattern) => pattern && pattern !== "*";
  return [
    milliseconds && `${milliseconds} ms`,
    seconds && `${seconds} s`,
    times > 1 && `${times}×`,
    limit && `${label("most")} ${limit}`,
    more.count && `${label("count")} ${more.count}`,
    more.probability < 1 && `${Math.round(more.probability * 100)} %`,
    narrow(route) && `${label("route")} ${route}`,
    narrow(names) && `${label("names")} ${names}`,
    narrow(events) && `${label("events")} ${events}`,
  ].filter(Boolean).join(" · ");
}
