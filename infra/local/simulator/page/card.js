// The card of an instance, with the actions on its phone.

import { attempt, button, call, setText, element, form, list, errorPlace } from "./parts.js";
import { clock, label, translate } from "./words.js";

const PHONE = { type: "tel", inputmode: "numeric", missing: "no_number" };

export class Card {
  constructor(name) {
    this.name = name;
    this.state = null;
    this.badge = element("span", { class: "state" });
    this.owner = element("p", { class: "quiet" });
    this.hint = element("p", { class: "quiet" });
    this.errors = errorPlace();
    this.pairing = this.buildPairing();
    this.messaging = this.buildMessaging();
    this.messages = element("ol");
    const vanish = element("div", { class: "apart" },
      this.button("vanish", "vanish", "harmful"),
      element("span", { text: label("vanishing"), class: "quiet" }));
    this.article = element("article", {},
      element("div", { class: "top" }, element("h3", { text: name }), this.badge),
      this.owner, this.hint, this.pairing, this.messaging, this.errors, this.messages, vanish);
  }

  buildPairing() {
    this.picture = element("img", { alt: "QR code", width: "208", height: "208" });
    this.countdown = element("p", { class: "quiet" });
    this.pairingCode = element("strong", { class: "letters" });
    this.phone = element("span");
    this.typing = element("div", { class: "typing" },
      element("p", {}, element("span", { text: `${label("pairing")} ` }), this.pairingCode),
      this.button("type", "pair"), this.phone);
    const scan = form("scan", [
      { name: "number", placeholder: "5511999990001", ...PHONE },
      { name: "profile", placeholder: "Loja" },
    ], (body) => this.command("scan", body));
    const codes = element("div", { class: "buttons" },
      this.button("expire", "expire-code"), this.button("limit", "qr-limit"));
    return element("div", {}, this.picture, this.countdown, scan, this.typing, codes);
  }

  buildMessaging() {
    const write = form("write", [
      { name: "from", placeholder: "5511988887777", ...PHONE },
      { name: "text", missing: "no_text" },
    ], (body) => this.command("receive", body));
    return element("div", {}, write, element("div", { class: "buttons" },
      this.button("unpair", "unpair"), this.button("block", "block"), this.button("drop", "drop")));
  }

  button(key, verb, look) {
    const act = (control) => attempt(this.errors, () => this.command(verb, {}), control);
    return button(key, act, look);
  }

  command(verb, body) {
    return call("POST", `instances/${encodeURIComponent(this.name)}/${verb}`, body);
  }

  show(instance) {
    const state = instance.state ?? "unloaded";
    if (this.state !== null && this.state !== state) this.clearErrors();
    this.state = state;
    const isOpen = state === "open";
    setText(this.badge, translate(instance.picture ? "waiting" : state));
    this.badge.className = `state ${state}`;
    this.badge.title = state;
    setText(this.owner, [instance.number, instance.profile].filter(Boolean).join(" · "));
    setText(this.hint, instance.picture ? "" : translate(`hint_${state}`, ""));
    this.showCode(instance);
    this.pairing.hidden = !instance.picture;
    this.messaging.hidden = !isOpen;
    list(this.messages, instance.messages.slice().reverse(), messageRow);
    this.messages.hidden = !instance.messages.length;
  }

  clearErrors() {
    for (const place of this.article.querySelectorAll(".trouble")) setText(place, "");
  }

  showCode({ picture, count, expires_in: secondsLeft, pairing_code: pairingCode,
    pairing_number: number }) {
    if (picture && this.picture.getAttribute("src") !== picture) this.picture.src = picture;
    const change = secondsLeft === null ? label("stays") : `${label("changes")} ${secondsLeft} s`;
    setText(this.countdown, `${label("code")} ${count} · ${change}`);
    this.typing.hidden = !pairingCode;
    setText(this.pairingCode, (pairingCode ?? "").replace(/^(.{4})(.{4})$/, "$1-$2"));
    setText(this.phone, number ?? "");
  }
}

export const address = (jid) => (jid ?? "").replace("@s.whatsapp.net", "");
export const content = (message) => message.text || `[${translate(message.kind)}]`;

function messageRow(message) {
  const direction = label(message.from_me ? "to" : "by");
  const status = message.from_me ? translate(message.status) : "";
  const about = [`${direction} ${address(message.with)}`, status, clock(Number(message.at) * 1000)];
  return element("li", { class: message.from_me ? "ours" : "theirs" },
    element("span", { text: content(message) }),
    element("small", { text: about.filter(Boolean).join(" · ") }));
}
