// One instance, and what a person does with its phone.

import { attempt, button, call, tell, element, form, list, trouble } from "./parts.js";
import { clock, say, theirs } from "./words.js";

const PHONE = { type: "tel", inputmode: "numeric", missing: "no_number" };

export class Card {
  constructor(name) {
    this.name = name;
    this.state = null;
    this.badge = element("span", { class: "state" });
    this.who = element("p", { class: "quiet" });
    this.hint = element("p", { class: "quiet" });
    this.trouble = trouble();
    this.pairing = this.makePairing();
    this.talking = this.makeTalking();
    this.messages = element("ol");
    const vanish = element("div", { class: "apart" },
      this.button("vanish", "vanish", "harmful"),
      element("span", { text: say("vanishing"), class: "quiet" }));
    this.whole = element("article", {},
      element("div", { class: "top" }, element("h3", { text: name }), this.badge),
      this.who, this.hint, this.pairing, this.talking, this.trouble, this.messages, vanish);
  }

  makePairing() {
    this.picture = element("img", { alt: "QR code", width: "208", height: "208" });
    this.countdown = element("p", { class: "quiet" });
    this.letters = element("strong", { class: "letters" });
    this.phone = element("span");
    this.typing = element("div", { class: "typing" },
      element("p", {}, element("span", { text: `${say("pairing")} ` }), this.letters),
      this.button("type", "pair"), this.phone);
    const scan = form("scan", [
      { name: "number", placeholder: "5511999990001", ...PHONE },
      { name: "profile", placeholder: "Loja" },
    ], (body) => this.ask("scan", body));
    const codes = element("div", { class: "buttons" },
      this.button("expire", "expire-code"), this.button("limit", "qr-limit"));
    return element("div", {}, this.picture, this.countdown, scan, this.typing, codes);
  }

  makeTalking() {
    const write = form("write", [
      { name: "from", placeholder: "5511988887777", ...PHONE },
      { name: "text", missing: "no_text" },
    ], (body) => this.ask("receive", body));
    return element("div", {}, write, element("div", { class: "buttons" },
      this.button("unpair", "unpair"), this.button("block", "block"), this.button("drop", "drop")));
  }

  button(key, verb, look) {
    return button(key, (it) => attempt(this.trouble, () => this.ask(verb, {}), it), look);
  }

  ask(verb, body) {
    return call("POST", `instances/${encodeURIComponent(this.name)}/${verb}`, body);
  }

  show(instance) {
    const state = instance.state ?? "unloaded";
    if (this.state !== null && this.state !== state) this.calmDown();
    this.state = state;
    const open = state === "open";
    tell(this.badge, theirs(instance.picture ? "waiting" : state));
    this.badge.className = `state ${state}`;
    this.badge.title = state;
    tell(this.who, [instance.number, instance.profile].filter(Boolean).join(" · "));
    tell(this.hint, instance.picture ? "" : theirs(`hint_${state}`, ""));
    this.showCode(instance);
    this.pairing.hidden = !instance.picture;
    this.talking.hidden = !open;
    list(this.messages, instance.messages.slice().reverse(), message);
    this.messages.hidden = !instance.messages.length;
  }

  calmDown() {
    for (const place of this.whole.querySelectorAll(".trouble")) tell(place, "");
  }

  showCode({ picture, count, expires_in: left, pairing_code: letters, pairing_number: number }) {
    if (picture && this.picture.getAttribute("src") !== picture) this.picture.src = picture;
    const until = left === null ? say("stays") : `${say("changes")} ${left} s`;
    tell(this.countdown, `${say("code")} ${count} · ${until}`);
    this.typing.hidden = !letters;
    tell(this.letters, (letters ?? "").replace(/^(.{4})(.{4})$/, "$1-$2"));
    tell(this.phone, number ?? "");
  }
}

export const address = (jid) => (jid ?? "").replace("@s.whatsapp.net", "");
export const content = (said) => said.text || `[${theirs(said.kind)}]`;

function message(said) {
  const way = say(said.from_me ? "to" : "by");
  const status = said.from_me ? theirs(said.status) : "";
  const about = [`${way} ${address(said.with)}`, status, clock(Number(said.at) * 1000)];
  return element("li", { class: said.from_me ? "ours" : "theirs" },
    element("span", { text: content(said) }),
    element("small", { text: about.filter(Boolean).join(" · ") }));
}
